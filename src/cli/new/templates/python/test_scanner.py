    def test_files_are_counted(self):
        self.write("a.txt", "x")
        self.write("b.txt", "x")
        self.write("c", "x")
        facts = answer({}, self.folder)["facts"]
        self.assertEqual(facts, {"files": 3, "endings": {".txt": 2, "": 1}})

    def test_an_empty_repository(self):
        self.assertEqual(answer({}, self.folder)["facts"], {"files": 0, "endings": {}})


if __name__ == "__main__":
    unittest.main()
