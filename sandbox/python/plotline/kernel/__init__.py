"""The forked process that runs user code in IPython."""
