    def test_each_name_is_a_repository(self):
        found = answer({"base": "https://git.example.com/acme/", "names": ["api", "web"]}, self.folder)
        self.assertEqual([one["clone_url"] for one in found["repositories"]],
                         ["https://git.example.com/acme/api", "https://git.example.com/acme/web"])

    def test_a_missing_key_is_told(self):
        run = ask({}, self.folder)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("names", run.stderr)


if __name__ == "__main__":
    unittest.main()
