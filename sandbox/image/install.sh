#!/bin/sh
# Installs the sandbox's packages and removes in the same layer what a container without network, display or package
# manager never uses. $1: extra PyPI packages, separated by spaces; may be empty.
set -eu
export DEBIAN_FRONTEND=noninteractive
here=$(dirname "$0")

cp "$here/exclude.conf" /etc/dpkg/dpkg.cfg.d/plotline
apt-get update -qq
sed 's/#.*//' "$here/packages.txt" | xargs apt-get install -y -qq --no-install-recommends

# Altair's charts as pages that need no network: three files of packages whose dependencies are all for development.
mkdir -p /opt/plotline/vega /tmp/vega
(
  cd /tmp/vega
  apt-get download -qq libjs-vega node-vega-lite node-vega-embed
  for package in *.deb; do dpkg-deb -x "$package" .; done
  cp usr/share/javascript/vega/vega.min.js usr/share/nodejs/vega-lite/build/vega-lite.min.js \
    usr/share/nodejs/vega-embed/build/vega-embed.min.js /opt/plotline/vega/
)

if [ -n "$1" ]; then
  apt-get install -y -qq --no-install-recommends python3-pip
  # shellcheck disable=SC2086 # a list of words
  pip install --break-system-packages --no-cache-dir $1
  apt-get purge -y -qq --auto-remove python3-pip
fi

# Drivers of graphics cards and clusters, which some library could load when it finds such hardware; the toolkit behind
# windows on a screen; services of a desktop. All of them are plugins: install.sh ends with a check that nothing kept
# still links to one.
unused=$(dpkg-query -W -f '${Package}\n' \
  'libllvm*' 'libz3-4' 'libamdhip64-*' 'libamd-comgr*' 'libhsa-runtime64-*' 'libhsakmt1' 'mesa-libgallium' \
  'libgl1-mesa-dri' 'libze1' 'blt' 'tk8.6-blt2.5' 'libtk8.6' 'python3-tk' 'python3-pil.imagetk' \
  'gnupg' 'gnupg-*' 'gpg' 'gpg-*' 'gpgsm' 'gpgconf' 'dirmngr' 'pinentry-*' \
  'python3-jedi' 'python3-parso' 'python3-typeshed' 'iso-codes' 'unicode-data' 'proj-data' 'gdal-data' \
  'xkb-data' 'libwacom-common' 'ucf' 'x11-common' 2>/dev/null || true)
# shellcheck disable=SC2086 # a list of words
dpkg --purge --force-depends $unused
# Test suites of the Python packages; dpkg's own exclusion would make the packages' byte-compilation fail.
# numpy.testing, which scipy imports, takes one file from numpy's suite.
find /usr/lib/python3/dist-packages -type d -name tests ! -path '*/numpy/_core/tests' -prune -exec rm -rf {} +
find /usr/lib/python3/dist-packages/numpy/_core/tests -name 'test_*' -exec rm -rf {} +
rm -f /usr/lib/*/ucx/*rocm* /usr/lib/*/libvtkRenderingTk-* /usr/lib/*/libGLX_mesa* /usr/lib/*/libEGL_mesa* \
  /usr/lib/*/gbm/dri_gbm.so /usr/lib/*/hwloc/hwloc_levelzero.so /usr/lib/*/caca/libgl_plugin.so* \
  /usr/lib/python3.13/lib-dynload/_tkinter.*

# No program of the image may raise its rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /tmp/* /root/.cache
mkdir -p /var/cache/fontconfig
fc-cache -s

missing=$(find /usr/bin /usr/lib -type f \( -name '*.so' -o -name '*.so.*' -o -path '/usr/bin/*' \) -exec ldd {} + 2>/dev/null |
  awk '/^\/.*:$/ { file = $1 } /not found/ { print file, $1 }')
if [ -n "$missing" ]; then
  echo "These files of the image lost a library they need:" >&2
  echo "$missing" >&2
  exit 1
fi
