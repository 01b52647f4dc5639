import { describe, expect, it } from 'vitest';
import { describeProtection, protectionFacts, type ProtectionFacts } from '../../sandbox/protection.ts';

const good: ProtectionFacts = {
  engineVersion: '29.5.1',
  runcVersion: '1.3.4',
  runtime: 'runsc',
  hasSeccomp: true,
  hasUserNamespaces: true,
  isRootless: false,
  cgroupVersion: '2',
  limitsMemory: true,
  limitsSwap: true,
  limitsProcesses: true,
};
const of = (change: Partial<ProtectionFacts>) => describeProtection({ ...good, ...change });

describe('what protects', () => {
  it('is one line, calm where nothing is weak', () => {
    const { level, text } = describeProtection(good);
    expect(level).toBe('info');
    expect(text).toContain('Docker 29.5.1');
    expect(text).toMatch(/gVisor.*seccomp.*user namespaces.*cgroup v2/);
    expect(text).not.toMatch(/\n|WEAK|CVE/);
  });

  it('names what gVisor would add where it is missing, without alarm', () => {
    const { level, text } = of({ runtime: 'runc' });
    expect(level).toBe('info');
    expect(text).toMatch(/kernel.*gVisor adds/);
  });

  it.each<[string, Partial<ProtectionFacts>, RegExp]>([
    ['no seccomp', { hasSeccomp: false }, /without seccomp.*use a kernel/],
    ['no seccomp on an old engine', { hasSeccomp: false, engineVersion: '29.4.2' }, /CVE-2026-31431/],
    ['no memory limit', { limitsMemory: false }, /cannot limit memory/],
    ['no swap limit', { limitsSwap: false }, /swapaccount=1/],
    ['no process limit', { limitsProcesses: false }, /pids cgroup/],
    ['an old runc', { runtime: 'runc', runcVersion: '1.1.11' }, /CVE-2024-21626.*update Docker and runc/],
  ])('warns of %s and says what to do', (_, change, words) => {
    const { level, text } = of(change);
    expect(level).toBe('warn');
    expect(text.slice(text.indexOf('WEAK'))).toMatch(words);
  });

  it.each([
    ['1.1.5+ds1', true],
    ['1.1.12', true],
    ['1.2.7', true],
    ['1.2.8', false],
    ['1.3.2', true],
    ['v1.3.3', false],
    ['1.4.0-rc.2', true],
    ['1.4.0-rc.3', false],
    ['1.4.0', false],
    ['1.5.0', false],
    ['2.0.0', false],
    ['unknown', false],
  ])('knows runc %s (escapes: %s)', (runcVersion, hasEscapes) => {
    expect(of({ runtime: 'runc', runcVersion }).level).toBe(hasEscapes ? 'warn' : 'info');
    expect(of({ runtime: 'runsc', runcVersion }).level).toBe('info');
  });

  it('says that a distribution may have mended an old number, and only of a distribution', () => {
    expect(of({ runtime: 'runc', runcVersion: '1.1.5+ds1-1+deb12u1' }).text).toContain('unless the distribution');
    expect(of({ runtime: 'runc', runcVersion: '1.1.7-0ubuntu1' }).text).toContain('unless the distribution');
    expect(of({ runtime: 'runc', runcVersion: '1.1.5' }).text).not.toContain('unless the distribution');
  });

  it.each([
    ['20.10.24+dfsg1', /CVE-2026-31431 and CVE-2026-41567.*update Docker/],
    ['29.4.3', /has CVE-2026-41567,/],
    ['29.5.0', /has CVE-2026-41567,/],
  ])('says of engine %s what sandboxes cannot use and others can', (engineVersion, words) => {
    const { level, text } = of({ engineVersion });
    expect(level).toBe('info');
    expect(text).toMatch(words);
  });
});

describe("the engine's answers", () => {
  it('are read', () => {
    const info = {
      ServerVersion: '28.1.0',
      SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'],
      CgroupVersion: '2',
      MemoryLimit: true,
      SwapLimit: true,
      PidsLimit: true,
    };
    const version = {
      Components: [
        { Name: 'Engine', Version: '28.1.0', Details: {} },
        { Name: 'runc', Version: '1.2.5', Details: {} },
      ],
    };
    expect(protectionFacts(info, version, 'runsc')).toEqual({
      engineVersion: '28.1.0',
      runcVersion: '1.2.5',
      runtime: 'runsc',
      hasSeccomp: true,
      hasUserNamespaces: false,
      isRootless: true,
      cgroupVersion: '2',
      limitsMemory: true,
      limitsSwap: true,
      limitsProcesses: true,
    });
  });

  it('that leave something out count as lacking it', () => {
    const facts = protectionFacts({ SecurityOptions: null }, {}, null);
    expect(facts).toMatchObject({ runtime: 'runc', hasSeccomp: false, limitsMemory: false, runcVersion: null });
    expect(describeProtection(facts).level).toBe('warn');
  });
});
