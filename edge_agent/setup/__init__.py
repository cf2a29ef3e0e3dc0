"""The setup wizard: one question engine, driven by a terminal, an answers file or a test.

    flow (questions out, answers in)  <->  Interview  <->  terminal | answers file | test
                                              |
                                           Journal

The flow knows no terminal and no file; `Interview` replays recorded answers, so going back and
resuming after a lost session are the same thing.
"""
