"""OpenStack Swift with its S3 API in one process: the proxy, account, container and object servers on loopback ports.

Usage: /usr/bin/python3 s3_server.py FOLDER PORT   (ends when its standard input does)
Prints "ready" once it listens. Signatures are checked by Swift itself: access key `test:tester`, secret `testing`.
A listing holds 50 names at most, so that a test need not make a thousand for a second page.
"""

import eventlet

eventlet.monkey_patch()

import os
import sys
import time

folder, proxy_port = sys.argv[1], int(sys.argv[2])

from swift.common import utils

os.makedirs(f"{folder}/devices/disk")
with open(f"{folder}/swift.conf", "w") as file:
    file.write("[swift-hash]\nswift_hash_path_suffix = plotline\n[storage-policy:0]\nname = only\ndefault = yes\n")
utils.SWIFT_CONF_FILE = f"{folder}/swift.conf"
utils.validate_hash_conf()

import eventlet.wsgi
from swift.account.server import AccountController
from swift.common.ring import RingBuilder
from swift.common.storage_policy import reload_storage_policies
from swift.common.wsgi import SwiftHttpProtocol, loadapp
from swift.container.server import ContainerController
from swift.obj.server import ObjectController

reload_storage_policies()


class ProcessCache:
    """What the servers ask of memcached, in a dictionary."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        value, until = self.values.get(key, (None, None))
        return value if until is None or until > time.time() else None

    def set(self, key, value, time=0, **_):
        import time as clock

        self.values[key] = (value, clock.time() + time if time else None)

    def incr(self, key, delta=1, time=0, **_):
        value = (self.get(key) or 0) + delta
        self.set(key, value, time)
        return value

    def delete(self, key, **_):
        self.values.pop(key, None)


def with_cache(app):
    cache = ProcessCache()

    def call(environ, start_response):
        environ["swift.cache"] = cache
        return app(environ, start_response)

    return call


def serve(listener, app):
    eventlet.spawn(eventlet.wsgi.server, listener, app, log=open(os.devnull, "w"), protocol=SwiftHttpProtocol)


settings = {
    "devices": f"{folder}/devices",
    "swift_dir": folder,
    "mount_check": "false",
    "log_level": "ERROR",
    "log_address": f"{folder}/no-log",
}
kinds = {"account": AccountController, "container": ContainerController, "object": ObjectController}
for kind, controller in kinds.items():
    listener = eventlet.listen(("127.0.0.1", 0))
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    address = {"ip": "127.0.0.1", "port": listener.getsockname()[1]}
    builder.add_dev({"region": 1, "zone": 1, "weight": 1, "device": "disk", "meta": "", **address})
    builder.rebalance(seed=1)
    builder.get_ring().save(f"{folder}/{kind}.ring.gz")
    serve(listener, controller(settings))

with open(f"{folder}/proxy.conf", "w") as file:
    file.write(
        f"""[DEFAULT]
swift_dir = {folder}
log_level = ERROR
log_address = {folder}/no-log
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats bulk s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
max_bucket_listing = 50
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
"""
    )
proxy = with_cache(loadapp(f"{folder}/proxy.conf", global_conf={}))
serve(eventlet.listen(("127.0.0.1", proxy_port)), proxy)
print("ready", flush=True)
eventlet.tpool.execute(sys.stdin.read)
os._exit(0)
