"""Runs the plug-in as mass-driver does. `python3 -m unittest` in this folder."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PLUG_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "{{program}}")


def ask(config, folder, version=1):
    request = {"version": version, "kind": "{{kind}}", "name": "{{name}}", "config": config, "folder": folder}
    return subprocess.run([sys.executable, PLUG_IN], input=json.dumps(request), capture_output=True, text=True)


def answer(config, folder):
    run = ask(config, folder)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class Test(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_another_version_is_refused(self):
        self.assertNotEqual(ask({}, self.folder, version=99).returncode, 0)

