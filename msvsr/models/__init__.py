"""Networks with weights, ranges and types, behind the contract that the engine uses."""
