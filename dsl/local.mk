# The language. Keep the list alphabetical, one module a line.
noinst_LIBRARIES += libdsl.a

libdsl_a_SOURCES = \
	%D%/ast.h \
	%D%/bundle.h \
	%D%/component.c %D%/component.h \
	%D%/diag.h \
	%D%/errors.def \
	%D%/eval.h \
	%D%/expr.h \
	%D%/graph.h \
	%D%/graph_json.h \
	%D%/layout.h \
	%D%/parse.h \
	%D%/plan.h \
	%D%/resolve.c %D%/resolve.h \
	%D%/scope.h \
	%D%/settings.h \
	%D%/svg.h \
	%D%/target.h \
	%D%/tree.h \
	%D%/type.h
