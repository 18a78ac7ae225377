# lateen-step, the program of the std.* steps: a child process here, the container's command on a cluster.
