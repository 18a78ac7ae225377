# The compute ops of the model: nothing is built from here yet.
