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
