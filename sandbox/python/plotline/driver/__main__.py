"""`python3 -m plotline.driver`: the container's first process, which also reaps what user code orphans."""

import functools
import os
import sys
import time


def main() -> int:
    from plotline.driver import boot

    boot.restart_with_clean_environment()
    started = time.monotonic()
    stdin, stdout = boot.take_standard_streams()
    boot.guard_imports()
    boot.harden()
    boot.preload()

    from plotline.driver.loop import Driver, serve
    from plotline.kernel.main import PreparedKernel, serve_kernel
    from plotline.paths import WORKSPACE

    driver = Driver(stdin, stdout, WORKSPACE, functools.partial(serve_kernel, PreparedKernel()))
    boot_ms = round((time.monotonic() - started) * 1000)
    driver.ready({"type": "ready", "protocol": 1, "python": sys.version.split()[0], "pid": os.getpid(), "bootMs": boot_ms})
    return serve(driver)


if __name__ == "__main__":
    sys.exit(main())
