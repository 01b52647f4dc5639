import { z } from 'zod';

/**
 * A setting that is a list of ids with commas or spaces between, each kept once; empty where it is not set. `isId` tells what is
 * one, `ids` says what they are: "ids like T0123ABCD".
 */
export const idList = (isId: (text: string) => boolean, ids: string) =>
  z
    .string()
    .default('')
    .transform((list) => [...new Set(list.split(/[\s,]+/).filter((id) => id !== ''))])
    .refine((list) => list.every(isId), `must be ${ids}, with commas between`);
