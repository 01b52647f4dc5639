import { expect, it } from 'vitest';
import { battery } from '../../selftest/battery.ts';

it('has at least 70 attacks over all 21 threats, each under its own id that begins with its threat', () => {
  expect(battery.length).toBeGreaterThanOrEqual(70);
  expect(new Set(battery.map(({ id }) => id)).size).toBe(battery.length);
  expect([...new Set(battery.map(({ threat }) => threat))].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 21 }, (_, index) => index + 1),
  );
  for (const { id, threat } of battery)
    expect(id).toMatch(new RegExp(`^t${String(threat).padStart(2, '0')}-[a-z0-9-]+$`));
});

it('says in one line what each attack tries', () => {
  for (const { id, attack } of battery) {
    expect(attack, id).not.toContain('\n');
    expect(attack.length, id).toBeGreaterThan(10);
  }
});
