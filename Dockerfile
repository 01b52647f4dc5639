# The sandbox: what user code runs in. Built by `npm run setup`; what it holds and why: sandbox/IMAGE.md.
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
