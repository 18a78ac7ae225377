# What happens when a plan runs. Keep the list alphabetical, one module a line.
noinst_LIBRARIES += libruntime.a

libruntime_a_SOURCES =
