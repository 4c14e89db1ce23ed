"""The other side of the wall: what runs in a model's child process, the one room that imports llama_cpp.

Nothing imports this package; it is started (`python -m core.llamacpp.worker`). A crash of llama.cpp ends the
process, not the server: see core/models/local/engine.py for the side that starts and watches it.
"""
