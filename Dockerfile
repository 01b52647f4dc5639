# One file, two images: `sandbox`, what user code runs in, and `bot`, what hears Slack and Discord and answers.

# What brings node and npm to the build of the bot; the bot itself stands on the sandbox's base. `npm run image` names one of its own
# here, made on this machine and with node_modules in it, for where no image can be pulled.
ARG NODE_IMAGE=node:24-trixie-slim

# The sandbox. Built by `npm run setup`; what it holds and why: sandbox/IMAGE.md.
FROM debian:trixie-slim AS sandbox

# Extra PyPI packages, separated by spaces: docker build --build-arg PYPI_PACKAGES="polars duckdb" …
ARG PYPI_PACKAGES=""

COPY sandbox/image/packages.txt sandbox/image/exclude.conf sandbox/image/install.sh /opt/plotline/image/
RUN sh /opt/plotline/image/install.sh "$PYPI_PACKAGES"

COPY sandbox/image/fonts.py /opt/plotline/image/
# GStreamer's clock helper is the one program that comes with capabilities of its own.
RUN rm -f /usr/lib/*/gstreamer1.0/gstreamer-1.0/gst-ptp-helper \
 && python3 /opt/plotline/image/fonts.py \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sandbox \
 && install -d -o sandbox -g sandbox /mnt/data

# Libraries that compute with several threads start one per CPU of the host, and the sandbox counts threads as processes.
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONPATH=/opt/plotline \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MKL_NUM_THREADS=1 \
    BLIS_NUM_THREADS=1 \
    NUMEXPR_NUM_THREADS=1 \
    PYGAME_HIDE_SUPPORT_PROMPT=1 \
    SDL_VIDEODRIVER=dummy \
    SDL_AUDIODRIVER=dummy

WORKDIR /mnt/data
USER sandbox
ENTRYPOINT ["python3", "-m", "plotline.driver"]

# Last, because it changes most: the driver, the kernel and what they know about spreadsheets.
COPY sandbox/python/plotline /opt/plotline/plotline

# What the bot is made of. This comes after the sandbox, because Docker's classic builder builds everything above its target.
FROM ${NODE_IMAGE} AS bot-parts
WORKDIR /app
COPY package.json package-lock.json ./
RUN [ -d node_modules ] || npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Node runs no TypeScript from packages, and their maps serve debuggers alone: two fifths of all bytes.
RUN find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete \
 && find node_modules -type d -empty -delete
COPY package.json LICENSE /source/
COPY scripts/health-check.mjs /source/scripts/
COPY sandbox/*.ts sandbox/seccomp.json /source/sandbox/
COPY adapters /source/adapters
COPY src /source/src
# A checkout may be readable to its owner alone; in the image another user runs it.
RUN chmod -R u=rwX,go=rX node_modules /source

FROM debian:trixie-slim AS bot
RUN useradd --uid 10002 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin plotline \
 && install -d -o plotline -g plotline -m 0700 /data
COPY --from=bot-parts /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=bot-parts /app/node_modules node_modules
COPY --from=bot-parts /source ./
# By number: a supervisor that forbids root cannot know who a name is.
USER 10002:10002
RUN node --version
ENV NODE_ENV=production \
    NODE_OPTIONS=--disable-warning=ExperimentalWarning \
    DATA_DIR=/data
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["node", "scripts/health-check.mjs"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["start"]
