import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';

/**
 * Seals texts with AES-256-GCM (NIST SP 800-38D): a fresh 96-bit nonce for each, a 128-bit tag, and the `name` it is kept under as
 * additional data, so that a sealed text cannot be moved to another name.
 */
export interface SecretBox {
  seal(text: string, name: string): string;
  /** Throws `config` where the key is another one, or the text was changed or moved. */
  open(sealed: string, name: string): string;
}

const algorithm = 'aes-256-gcm';
const version = 'v1';

/** `key` has 32 bytes. */
export function createSecretBox(key: Uint8Array): SecretBox {
  return {
    seal: (text, name) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return [version, ...[nonce, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join('.');
    },
    open: (sealed, name) => {
      const [found, nonce = '', tag = '', text = ''] = sealed.split('.');
      try {
        if (found !== version) throw new Error(`sealed by an unknown version: ${found}`);
        const decipher = createDecipheriv(algorithm, key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
          .setAAD(Buffer.from(name))
          .setAuthTag(Buffer.from(tag, 'base64url'));
        return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
      } catch (error) {
        throw new AppError(
          'config',
          'The stored tokens cannot be read with this SECRETS_KEY. Set the key they were written with, or install the app again.',
          { cause: error, detail: `installation ${name} cannot be opened` },
        );
      }
    },
  };
}
