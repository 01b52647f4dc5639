import { describe, expect, it } from 'vitest';
import { planFor, registration, takesRuntimesFrom, withGvisor } from '../../scripts/setup/gvisor-plan.mjs';

const debianRoot = {
  platform: 'linux',
  isDebianLike: true,
  isUbuntu: false,
  isRoot: true,
  hasSystemd: true,
  user: 'root',
} as const;
const missing = { isRegistered: false, isOwnEngine: true, wasTold: false };

describe('what the set-up does about gVisor', () => {
  it('installs it as root beside an engine of Debian, and advises elsewhere', () => {
    expect(planFor(debianRoot, missing)).toBe('install');
    expect(planFor({ ...debianRoot, isRoot: false, user: 'ada' }, missing)).toBe('advise');
    expect(planFor({ ...debianRoot, isDebianLike: false }, missing)).toBe('advise');
    expect(planFor(debianRoot, { ...missing, isOwnEngine: false })).toBe('advise');
  });

  it('does nothing where it is registered, was told before, or cannot run', () => {
    expect(planFor(debianRoot, { ...missing, isRegistered: true })).toBe('nothing');
    expect(planFor(debianRoot, { ...missing, wasTold: true })).toBe('nothing');
    expect(planFor({ ...debianRoot, platform: 'darwin' }, { ...missing, isOwnEngine: false })).toBe('nothing');
  });
});

describe('an engine whose configuration may be changed', () => {
  it('reads that file, and has no runtimes on its command line, with which it would not start again', () => {
    const takes = (...args: readonly string[]) => takesRuntimesFrom('/etc/docker/daemon.json', args.join(' '));
    expect(takes('/usr/sbin/dockerd', '-H', 'fd://')).toBe(true);
    expect(takes('/usr/sbin/dockerd', '--config-file=/etc/docker/daemon.json')).toBe(true);
    expect(takes('/usr/sbin/dockerd', '--config-file', '/srv/docker.json')).toBe(false);
    expect(takes('/usr/sbin/dockerd', '--add-runtime=kata=/usr/bin/kata')).toBe(false);
  });
});

describe("Docker's configuration with gVisor", () => {
  const parse = (text: string | null): unknown => {
    const merged = withGvisor(text);
    return 'text' in merged ? JSON.parse(merged.text) : merged;
  };

  it('is made where there is none', () => {
    for (const text of [null, '', '\n']) expect(parse(text)).toEqual({ runtimes: { runsc: registration } });
  });

  it('keeps everything that is in it, other runtimes too', () => {
    const before = {
      'log-driver': 'local',
      dns: ['9.9.9.9'],
      runtimes: { nvidia: { path: 'nvidia-container-runtime' } },
    };
    expect(parse(JSON.stringify(before))).toEqual({
      ...before,
      runtimes: { ...before.runtimes, runsc: registration },
    });
  });

  it('is not written again, whoever registered it and how', () => {
    expect(withGvisor('{"runtimes":{"runsc":{"path":"/opt/runsc"}}}')).toEqual({ unchanged: true });
    const once = withGvisor('{}');
    expect('text' in once && withGvisor(once.text)).toEqual({ unchanged: true });
  });

  it.each(['{ "dns": [', '[]', '"text"', 'null', '{"runtimes": []}'])('is left alone when it is %s', (text) => {
    expect(withGvisor(text)).toEqual({ problem: expect.stringMatching(/JSON/) });
  });
});
