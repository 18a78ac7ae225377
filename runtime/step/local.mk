# lateen-step, the program of the std.* steps: a child process here, the container's command on a cluster. All but main()
# lies in libruntime.a, where the tests find it; `lateen` takes nothing of it from there.
bin_PROGRAMS += lateen-step
lateen_step_SOURCES = %D%/main.c
lateen_step_LDADD = libruntime.a libkernels.a libbase.a $(LATEEN_LIBS)

libruntime_a_SOURCES += %D%/baseline.c
libruntime_a_SOURCES += %D%/chart.c
libruntime_a_SOURCES += %D%/clean.c
libruntime_a_SOURCES += %D%/csv.c %D%/csv.h
libruntime_a_SOURCES += %D%/evaluate.c
libruntime_a_SOURCES += %D%/export.c
libruntime_a_SOURCES += %D%/fields.c %D%/fields.h
libruntime_a_SOURCES += %D%/generate.c %D%/generate.h
libruntime_a_SOURCES += %D%/generator.c
libruntime_a_SOURCES += %D%/issues.c
libruntime_a_SOURCES += %D%/kept.c %D%/kept.h
libruntime_a_SOURCES += %D%/memory.c %D%/memory.h
libruntime_a_SOURCES += %D%/near.c %D%/near.h
libruntime_a_SOURCES += %D%/packed.c %D%/packed.h
libruntime_a_SOURCES += %D%/packed_private.h
libruntime_a_SOURCES += %D%/packed_zstd.c
libruntime_a_SOURCES += %D%/rows.c %D%/rows.h
libruntime_a_SOURCES += %D%/score.c %D%/score.h
libruntime_a_SOURCES += %D%/score_report.c
libruntime_a_SOURCES += %D%/split.c
libruntime_a_SOURCES += %D%/step.h
libruntime_a_SOURCES += %D%/step_table.c
libruntime_a_SOURCES += %D%/step_util.c
libruntime_a_SOURCES += %D%/table.c
libruntime_a_SOURCES += %D%/tokenizer.c
libruntime_a_SOURCES += %D%/tokens.c
libruntime_a_SOURCES += %D%/train.c %D%/train.h
libruntime_a_SOURCES += %D%/train_report.c %D%/train_report.h
libruntime_a_SOURCES += %D%/train_setup.c
libruntime_a_SOURCES += %D%/words.c
