"""Places inside the container that the driver and the kernel agree on."""

WORKSPACE = "/mnt/data"
"""The working directory of every cell; the only place files are collected from."""

PREBUILT_FONTS = "/opt/plotline/matplotlib"
"""matplotlib's font cache, made when the image was built."""

SCRATCH_HOME = "/tmp"
"""HOME of user code; the root file system is read-only."""

VEGA_SCRIPTS = "/opt/plotline/vega"
"""vega.min.js, vega-lite.min.js and vega-embed.min.js, for altair pages that work without a network."""
