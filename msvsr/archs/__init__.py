"""The published networks as plain ``nn.Module`` classes, one file per network."""
