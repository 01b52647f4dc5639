"""User code that attacks the link, the files and the driver itself."""

import hashlib
import unittest

from sandbox_case import SandboxCase, has_gvisor

FORGE = """
import json, os, struct
def frame(header, payload=b''):
    head = json.dumps(header).encode()
    return struct.pack('>II', len(head), len(payload)) + head + payload
def to_every_descriptor(data):
    for fd in sorted(int(name) for name in os.listdir('/proc/self/fd')):
        try: os.write(fd, data)
        except OSError: pass
"""


class Forgery(SandboxCase):
    def setUp(self) -> None:
        self.run_ok(FORGE)

    def test_forged_frames_never_become_answers(self) -> None:
        done = "{'type': 'done', 'id': 1, 'nonce': 'x', 'status': 'ok', 'error': None, 'files': [], 'durationMs': 0, 'truncated': False}"
        for data in (f"frame({done})", "frame({'type': 'result', 'nonce': '', 'parts': []})", "b'\\xff' * 100", "b'\\0' * 64", "frame({'type': 'x'}) * 1000"):
            outcome = self.driver.run(f"print('mark')\nto_every_descriptor({data})\nprint('after')")
            self.assertEqual((outcome.status, outcome.error["name"]), ("error", "KernelDied"), data)
            self.assertIn("not a message", outcome.error["message"])
            self.assertEqual(outcome.files, [])
            self.run_ok(FORGE)

    def test_a_message_with_the_right_nonce_is_still_checked(self) -> None:
        find = "channel = get_ipython().publisher._channel\n"
        for message in (
            "{'type': 'done', 'status': 'timeout', 'error': None}",
            "{'type': 'done', 'status': 'error', 'error': None}",
            "{'type': 'done', 'status': 'error', 'error': {'name': 1, 'message': '', 'traceback': ''}}",
            "{'type': 'result', 'parts': [{'mime': 'text/plain', 'bytes': 5, 'encoding': 'utf8'}]}",
            "{'type': 'result', 'parts': [{'mime': 'Text Plain', 'bytes': 0, 'encoding': 'utf8'}]}",
            "{'type': 'result', 'parts': 5}",
        ):
            outcome = self.driver.run(f"{find}channel.send({message})\nimport time; time.sleep(5)")
            self.assertEqual((outcome.status, outcome.error["name"]), ("error", "KernelDied"), message)
        self.assert_alive()

    def test_a_forged_done_ends_only_its_own_run(self) -> None:
        outcome = self.driver.run("get_ipython().publisher._channel.send({'type': 'done', 'status': 'ok', 'error': None})\nprint('late')\nx = 1")
        self.assertEqual(outcome.status, "ok")
        following = self.driver.run("print('next')")
        self.assertIn(following.status, ("ok", "error"))
        self.assert_alive()

    def test_closing_every_descriptor_is_a_typed_failure(self) -> None:
        outcome = self.driver.run("import os; os.closerange(0, 1024); import time; time.sleep(3)")
        self.assertEqual((outcome.status, outcome.error["name"]), ("error", "KernelDied"))
        self.assertIn("link", outcome.error["message"])
        self.assert_alive()

    def test_the_driver_cannot_be_looked_into(self) -> None:
        code = """
import os
parent = os.getppid()
seen = []
for name in ('fd/0', 'mem', 'environ', 'maps', 'fd', 'cwd', 'root'):
    try:
        path = f'/proc/{parent}/{name}'
        os.listdir(path) if name == 'fd' else os.open(path, os.O_RDWR if name == 'mem' else os.O_RDONLY)
        seen.append(name)
    except OSError: pass
print(seen)
import ctypes
print(ctypes.CDLL(None).ptrace(16, parent, 0, 0))
print([os.readlink(f'/proc/self/fd/{fd}') for fd in (0, 1, 2)])
"""
        lines = self.output_of(code).splitlines()
        self.assertEqual(lines[0], "[]")
        self.assertEqual(lines[1], "-1")
        self.assertTrue(lines[2].startswith("['/dev/null', 'pipe:"))

    def test_children_do_not_inherit_the_link(self) -> None:
        code = "import os, subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import os; print(sorted(os.listdir(\"/proc/self/fd\")))'], capture_output=True, text=True, close_fds=False).stdout)"
        self.assertLessEqual(len(self.output_of(code).split(",")), 4)
        fork = "import os\nr, w = os.pipe()\nif os.fork() == 0:\n    links = [os.path.realpath(f'/proc/self/fd/{f}') for f in os.listdir('/proc/self/fd')]\n    os.write(w, str(sum('socket' in l for l in links)).encode()); os._exit(0)\nos.wait(); n = int(os.read(r, 9))\nmine = sum('socket' in os.path.realpath(f'/proc/self/fd/{f}') for f in os.listdir('/proc/self/fd'))\nprint(mine - n)"
        self.assertEqual(self.output_of(fork), "1")

    def test_the_driver_imports_nothing_from_the_workspace(self) -> None:
        for name in ("hashlib", "json", "traceback", "termios", "plotline", "numpy", "sitecustomize"):
            self.run_ok(f"open('{name}.py', 'w').write('open(\"/tmp/owned\", \"a\").write(\"{name} \")\\nraise SystemExit')")
        self.assertEqual(self.driver.run("import os; os._exit(1)").error["name"], "KernelDied")
        self.assertEqual(self.driver.write("a.txt", b"1")["type"], "written")
        self.assertEqual(self.output_of("import os; print(os.path.exists('/tmp/owned'))"), "False")
        self.run_ok("import glob\nfor p in glob.glob('*.py'): os.remove(p)")


class Streams(SandboxCase):
    def test_the_drivers_streams_cannot_be_opened_again(self) -> None:
        code = """
import os, subprocess
opened = []
for number in (2, *range(20, 30)):
    path = f'/proc/{os.getppid()}/fd/{number}'
    for flags in (os.O_RDONLY, os.O_WRONLY):
        subprocess.run(['chmod', '666', path], stderr=subprocess.DEVNULL)
        try: os.chmod(path, 0o666)
        except OSError: pass
        try: opened.append((number, flags, os.open(path, flags | os.O_NONBLOCK)))
        except OSError: pass
print(opened)
"""
        self.assertEqual(self.output_of(code), "[]")
        self.assert_alive()


@unittest.skipUnless(has_gvisor(), "needs gVisor's runsc, registered with Docker")
class StreamsOnGvisor(Streams):
    """There /proc/<pid>/fd is open to every process of the same user."""

    options = {"runtime": "runsc"}


class FileTricks(SandboxCase):
    def tearDown(self) -> None:
        self.run_ok("import os, shutil\nfor n in os.listdir('.'):\n    shutil.rmtree(n) if os.path.isdir(n) and not os.path.islink(n) else os.remove(n)")

    def test_new_and_changed_by_content(self) -> None:
        first = self.run_ok("import os\nopen('a.txt', 'w').write('1')\nos.makedirs('sub/deep')\nopen('sub/deep/ü b.txt', 'w').write('2')")
        self.assertEqual([(f["path"], f["change"]) for f in first.files], [("a.txt", "new"), ("sub/deep/ü b.txt", "new")])
        self.assertEqual(first.files[0]["sha256"], hashlib.sha256(b"1").hexdigest())
        self.assertEqual(self.run_ok("open('a.txt', 'w').write('1')").files, [])
        self.assertEqual(self.run_ok("os.utime('a.txt')").files, [])
        self.assertEqual([f["change"] for f in self.run_ok("open('a.txt', 'w').write('3')").files], ["changed"])
        same_stamp = "s = os.stat('a.txt')\nopen('a.txt', 'w').write('4')\nos.utime('a.txt', ns=(s.st_atime_ns, s.st_mtime_ns))"
        self.assertEqual([f["change"] for f in self.run_ok(same_stamp).files], ["changed"])
        self.run_ok("os.remove('a.txt')")
        self.assertEqual([f["change"] for f in self.run_ok("open('a.txt', 'w').write('4')").files], ["new"])

    def test_uploads_are_not_news(self) -> None:
        self.driver.write("up.csv", b"a\n1\n")
        self.assertEqual(self.run_ok("1").files, [])
        self.assertEqual([f["change"] for f in self.run_ok("open('up.csv', 'a').write('2')").files], ["changed"])

    def test_files_of_a_failed_and_of_a_killed_cell_are_reported(self) -> None:
        self.assertEqual(len(self.driver.run("open('x1', 'w').write('1')\n1/0").files), 1)
        self.assertEqual(len(self.driver.run("open('x2', 'w').write('1')\nimport os; os._exit(1)").files), 1)

    def test_odd_entries_neither_hang_nor_travel(self) -> None:
        outcome = self.run_ok(
            "import os, socket\n"
            "os.mkfifo('fifo'); os.symlink('/etc/passwd', 'abs'); os.symlink('.', 'loop'); os.symlink('../..', 'up'); os.symlink('gone', 'dangling')\n"
            "open('one', 'w').write('x'); os.link('one', 'two')\n"
            "s = socket.socket(socket.AF_UNIX); s.bind('sock')\n"
            "os.truncate(os.open('sparse', os.O_CREAT | os.O_RDWR), 100 << 20 | 1)\n"
            "open(b'bad\\xff', 'w').write('x'); open('line\\nbreak', 'w').write('x'); open('.hidden', 'w').write('x')\n"
            "os.makedirs('__pycache__'); open('__pycache__/x.pyc', 'w').write('x')\n"
            "open('right\\u202eto left.txt', 'w').write('x'); open('plain.txt', 'w').write('x')\n"
        )
        self.assertEqual([f["path"] for f in outcome.files], ["plain.txt", "right\u202eto left.txt"])
        self.assertTrue(outcome.truncated)
        for words in ("sparse", "100 MB", "control characters", "not valid UTF-8"):
            self.assertIn(words, outcome.stderr)
        later = self.run_ok("1")
        self.assertEqual((later.stderr, later.truncated), ("", False))
        for path in ("fifo", "abs", "loop/plain.txt", "sock", "one", "dangling", "up/etc/passwd"):
            answer, data = self.driver.read(path)
            self.assertEqual((answer["type"], data), ("failed", b""), path)
            self.assertIn(answer["code"], ("not-a-file", "not-found"), path)
        self.assertEqual(self.driver.read("sparse", max_bytes=1000)[0]["code"], "too-large")
        listed = [entry["path"] for entry in self.driver.list()["entries"]]
        self.assertIn("plain.txt", listed)
        self.assertFalse({"fifo", "abs", "one", "two", "sock"} & set(listed))

    def test_paths_cannot_lead_out(self) -> None:
        for path in ("../etc/passwd", "/etc/passwd", "a/../../x", "", ".", "..", "a//b", "a\x00b", "x" * 300, "a/b\nc"):
            self.assertEqual(self.driver.read(path)[0]["code"], "bad-path", path)
        for path in ("../x", "/x", "", "a/b", ".", "..", "x" * 300, "a\x00b", "new\nline"):
            self.assertEqual(self.driver.write(path, b"1")["code"], "bad-path", path)
        self.assertEqual(self.driver.read("nothing")[0]["code"], "not-found")
        self.assertEqual(self.driver.list("nothing")["code"], "not-found")

    def test_many_files_and_deep_folders(self) -> None:
        outcome = self.run_ok("import os\nfor i in range(600): open(f'f{i:04d}', 'w').write(str(i))\nos.makedirs('/'.join('d' * 30)); open('/'.join('d' * 30) + '/x', 'w').write('1')")
        self.assertEqual(len(outcome.files), 200)
        self.assertTrue(outcome.truncated)
        self.assertIn("not collected", outcome.stderr)
        self.assertLess(outcome.seconds, 6)
        later = self.run_ok("1")
        self.assertEqual((len(later.files), later.truncated), (200, True))
        self.assertIn("not collected", later.stderr)

    def test_names_that_fill_a_frame_header_do_not_end_the_driver(self) -> None:
        outcome = self.driver.run(
            "import os\nfolder = '/'.join(['\"' * 255] * 7)\nos.makedirs(folder)\n"
            "for i in range(200): open(f'{folder}/{i:03d}' + '\"' * 252, 'w').write(str(i))\n"
            "raise ValueError('\\x01' * 100_000)"
        )
        self.assertEqual((outcome.status, outcome.error["name"]), ("error", "ValueError"))
        told = [file["path"] for file in outcome.files]
        self.assertTrue(50 < len(told) < 200, len(told))
        self.assertTrue(outcome.truncated)
        self.assertIn("not collected", outcome.stderr)
        later = self.run_ok("1").files
        self.assertEqual(len({*told, *(file["path"] for file in later)}), 200)

    def test_a_folder_in_the_place_of_a_file(self) -> None:
        self.run_ok("import os; os.mkdir('taken')")
        self.assertEqual(self.driver.write("taken", b"1")["code"], "bad-path")
        self.run_ok("os.symlink('/tmp/target', 'link')")
        self.assertEqual(self.driver.write("link", b"1")["type"], "written")
        self.assertEqual(self.output_of("print(os.path.islink('link'), os.path.exists('/tmp/target'))"), "False False")

    def test_a_hundred_megabytes_in_and_out(self) -> None:
        data = bytes(range(256)) * (100 << 12)
        answer = self.driver.write("big.bin", data)
        self.assertEqual((answer["type"], answer["sizeBytes"]), ("written", len(data)))
        self.assertEqual(answer["sha256"], hashlib.sha256(data).hexdigest())
        answer, back = self.driver.read("big.bin")
        self.assertEqual(answer["type"], "end")
        self.assertTrue(back == data)

    def test_no_space_is_said_and_nothing_stays(self) -> None:
        for declare in (-1, None):
            answer = self.driver.write("huge.bin", bytes(530 << 20), declare=declare)
            self.assertEqual((answer["type"], answer["code"]), ("failed", "no-space"))
            self.assertIn("512 MB", answer["message"])
        self.assertEqual(self.output_of("import os; print(os.listdir('.'))"), "[]")
        self.assertEqual(self.driver.write("half.bin", b"1", abort=True)["code"], "aborted")
        self.assertEqual(self.driver.write("short.bin", b"1", declare=5)["code"], "aborted")
        self.assertEqual(self.output_of("import os; print(os.listdir('.'))"), "[]")
