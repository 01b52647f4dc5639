"""Bytes that no one meant as a file: is every one of them answered in words, in time and within memory?

    seeds      small valid files of every kind, made on the spot; `workbooks` writes the spreadsheets among them
    mutations  seeded changes to bytes, and to the members of zip files
    monsters   files of a megabyte or two in the worst shapes
    child      one file after the other in a process with limits; `watch` notices what ends or stops it
               `python3 -m fuzz FILES SEED [--keep DIR]`, `python3 -m fuzz --monsters`, `python3 -m fuzz --growth`
"""
