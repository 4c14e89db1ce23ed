"""Reading documents, in a process of its own: what comes from outside may be made to hang, crash or fill the memory.

worker.py is the process; the other modules read one family of formats each, and give parts of text.
"""
