noinst_LIBRARIES += libdsl.a

libdsl_a_SOURCES =
