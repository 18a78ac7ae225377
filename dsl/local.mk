# The language. One module a line, alphabetical: such lines merge by themselves.
noinst_LIBRARIES += libdsl.a

libdsl_a_SOURCES =
libdsl_a_SOURCES += %D%/ast.h
libdsl_a_SOURCES += %D%/bundle.h
libdsl_a_SOURCES += %D%/component.c %D%/component.h
libdsl_a_SOURCES += %D%/diag.h
libdsl_a_SOURCES += %D%/errors.def
libdsl_a_SOURCES += %D%/eval.h
libdsl_a_SOURCES += %D%/expr.h
libdsl_a_SOURCES += %D%/graph.h
libdsl_a_SOURCES += %D%/graph_json.h
libdsl_a_SOURCES += %D%/layout.h
libdsl_a_SOURCES += %D%/parse.h
libdsl_a_SOURCES += %D%/plan.h
libdsl_a_SOURCES += %D%/resolve.c %D%/resolve.h
libdsl_a_SOURCES += %D%/scope.h
libdsl_a_SOURCES += %D%/settings.h
libdsl_a_SOURCES += %D%/svg.h
libdsl_a_SOURCES += %D%/target.h
libdsl_a_SOURCES += %D%/tree.h
libdsl_a_SOURCES += %D%/type.h
libdsl_a_SOURCES = \
	%D%/ast.c \
	%D%/ast.h \
	%D%/component.h \
	%D%/diag.c \
	%D%/diag.h \
	%D%/diag_near.c \
	%D%/errors.def \
	%D%/eval.h \
	%D%/expr.h \
	%D%/lexer.c \
	%D%/lexer.h \
	%D%/parse.c \
	%D%/parse.h \
	%D%/parse_component.c \
	%D%/parse_expr.c \
	%D%/parse_pipeline.c \
	%D%/parse_setting.c \
	%D%/parse_text.c \
	%D%/parse_top.c \
	%D%/parser.c \
	%D%/parser.h \
	%D%/plan.h \
	%D%/scope.h \
	%D%/settings.h \
	%D%/target.h \
	%D%/token.c \
	%D%/token.def \
	%D%/token.h \
	%D%/type.h \
	%D%/unit.c \
	%D%/verb.c \
	%D%/verb.def \
	%D%/verb.h
