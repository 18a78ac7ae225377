# What happens when a plan runs. One module a line, alphabetical: such lines merge by themselves.
noinst_LIBRARIES += libruntime.a

libruntime_a_SOURCES =
