"""The stages as short functions: the command line, `gates.check` and the workflows call nothing deeper.

`stages` plan, measure, seal, decide; `move` promote, roll back, adopt, status; `people` keys, trust, approvals and the
policies in force; `answer` the decision joined with what a reader needs beside it.
"""
