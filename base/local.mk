noinst_LIBRARIES += libbase.a

libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/buf.c %D%/buf.h \
	%D%/embedded.h \
	%D%/error.c %D%/error.h \
	%D%/json_number.c %D%/json_number.h \
	%D%/json_scan.c %D%/json_scan.h \
	%D%/json_tree.c %D%/json_tree.h \
	%D%/library.c %D%/library.h \
	%D%/macros.c %D%/macros.h \
	%D%/map.c %D%/map.h \
	%D%/markup.c %D%/markup.h \
	%D%/rfc3339.c %D%/rfc3339.h \
	%D%/sha256.c %D%/sha256.h \
	%D%/source.c %D%/source.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/value.c %D%/value.h \
	%D%/value_json.c \
	%D%/yaml.c %D%/yaml.h \
	%D%/yaml_dict.c %D%/yaml_read.h \
	%D%/yaml_scalar.c %D%/yaml_scalar.h
