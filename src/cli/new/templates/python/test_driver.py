    def test_files_are_changed_once(self):
        self.write("a.txt", "one two\n")
        config = {"files": ["a.txt", "absent"], "old": "one", "new": "three"}
        self.assertEqual(answer(config, self.folder)["outcome"], "patched")
        with open(os.path.join(self.folder, "a.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "three two\n")
        self.assertEqual(answer(config, self.folder)["outcome"], "already_patched")

    def test_other_repositories_are_left_alone(self):
        config = {"files": ["a.txt"], "old": "one", "new": "three"}
        self.assertEqual(answer(config, self.folder)["outcome"], "does_not_apply")

    def test_a_missing_key_is_told(self):
        self.assertEqual(answer({}, self.folder)["outcome"], "error")


if __name__ == "__main__":
    unittest.main()
