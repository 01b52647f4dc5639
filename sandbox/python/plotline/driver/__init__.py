"""The container's main process: speaks the protocol with the bot, forks kernels, moves files."""
