# The Jupyter side and the command line. One module a line, alphabetical: such lines merge by themselves. Only main.c
# is not in the library, so that the tests can link all the rest.
noinst_LIBRARIES += libkernel.a

libkernel_a_SOURCES =
libkernel_a_SOURCES += %D%/artifact.c %D%/artifact.h
libkernel_a_SOURCES += %D%/background.c %D%/background.h %D%/background_private.h
libkernel_a_SOURCES += %D%/background_here.c
libkernel_a_SOURCES += %D%/background_there.c
libkernel_a_SOURCES += %D%/bundle_file.c %D%/bundle_file.h
libkernel_a_SOURCES += %D%/catch_up.c %D%/catch_up.h
libkernel_a_SOURCES += %D%/channels.c %D%/channels.h
libkernel_a_SOURCES += %D%/cli.c %D%/cli.h
libkernel_a_SOURCES += %D%/cli_component.c
libkernel_a_SOURCES += %D%/cli_exec.c
libkernel_a_SOURCES += %D%/cli_explain.c
libkernel_a_SOURCES += %D%/cli_help.c
libkernel_a_SOURCES += %D%/cli_kernel.c
libkernel_a_SOURCES += %D%/cli_program.c
libkernel_a_SOURCES += %D%/cli_run.c
libkernel_a_SOURCES += %D%/cli_runs.c
libkernel_a_SOURCES += %D%/cli_steer.c %D%/cli_steer.h
libkernel_a_SOURCES += %D%/cli_table.c
libkernel_a_SOURCES += %D%/cli_target.c
libkernel_a_SOURCES += %D%/cluster_check.c %D%/cluster_check.h
libkernel_a_SOURCES += %D%/comm.c
libkernel_a_SOURCES += %D%/compile.c %D%/compile.h
libkernel_a_SOURCES += %D%/complete_path.c %D%/complete_path.h
libkernel_a_SOURCES += %D%/connection.c %D%/connection.h
libkernel_a_SOURCES += %D%/control.c
libkernel_a_SOURCES += %D%/dispatch.c
libkernel_a_SOURCES += %D%/doctor.c %D%/doctor.h
libkernel_a_SOURCES += %D%/empty_log.c %D%/empty_log.h
libkernel_a_SOURCES += %D%/execute.c
libkernel_a_SOURCES += %D%/fetch.c %D%/fetch.h
libkernel_a_SOURCES += %D%/file.c %D%/file.h
libkernel_a_SOURCES += %D%/forwards.c %D%/forwards.h
libkernel_a_SOURCES += %D%/handshake.c %D%/handshake.h
libkernel_a_SOURCES += %D%/heap.c %D%/heap.h
libkernel_a_SOURCES += %D%/heartbeat.c %D%/heartbeat.h
libkernel_a_SOURCES += %D%/history.c %D%/history.h
libkernel_a_SOURCES += %D%/http_get.c %D%/http_get.h
libkernel_a_SOURCES += %D%/info.c
libkernel_a_SOURCES += %D%/install.c %D%/install.h
libkernel_a_SOURCES += %D%/interp.c %D%/interp.h
libkernel_a_SOURCES += %D%/interp_background.c
libkernel_a_SOURCES += %D%/interp_compile.c %D%/interp_internal.h
libkernel_a_SOURCES += %D%/interp_evaluate.c
libkernel_a_SOURCES += %D%/interp_help.c
libkernel_a_SOURCES += %D%/interp_language.c
libkernel_a_SOURCES += %D%/interp_magic.c
libkernel_a_SOURCES += %D%/interp_perform.c
libkernel_a_SOURCES += %D%/interp_run.c
libkernel_a_SOURCES += %D%/interp_shell.c
libkernel_a_SOURCES += %D%/interp_steer.c
libkernel_a_SOURCES += %D%/interp_store.c
libkernel_a_SOURCES += %D%/interp_sweep.c
libkernel_a_SOURCES += %D%/interp_tensorboard.c
libkernel_a_SOURCES += %D%/interp_values.c
libkernel_a_SOURCES += %D%/introspect.c
libkernel_a_SOURCES += %D%/iopub.c %D%/iopub.h
libkernel_a_SOURCES += %D%/iopub_queue.c %D%/iopub_queue.h
libkernel_a_SOURCES += %D%/json.c
libkernel_a_SOURCES += %D%/json_text.c %D%/json_text.h
libkernel_a_SOURCES += %D%/kernelspecs.c %D%/kernelspecs.h
libkernel_a_SOURCES += %D%/language.c %D%/language.h
libkernel_a_SOURCES += %D%/live.c %D%/live.h
libkernel_a_SOURCES += %D%/message.c %D%/message.h
libkernel_a_SOURCES += %D%/output.c %D%/output.h
libkernel_a_SOURCES += %D%/package_file.c %D%/package_file.h
libkernel_a_SOURCES += %D%/picture_file.c %D%/picture_file.h
libkernel_a_SOURCES += %D%/program_file.c %D%/program_file.h
libkernel_a_SOURCES += %D%/progress.c %D%/progress.h
libkernel_a_SOURCES += %D%/progress_chart.c
libkernel_a_SOURCES += %D%/proto.c %D%/proto.h
libkernel_a_SOURCES += %D%/redact.c %D%/redact.h
libkernel_a_SOURCES += %D%/replay.c %D%/replay.h
libkernel_a_SOURCES += %D%/resolver.c %D%/resolver.h
libkernel_a_SOURCES += %D%/run_here.c %D%/run_here.h
libkernel_a_SOURCES += %D%/run_list.c %D%/run_list.h
libkernel_a_SOURCES += %D%/server.c %D%/server.h
libkernel_a_SOURCES += %D%/session.c %D%/session.h
libkernel_a_SOURCES += %D%/session_state.h
libkernel_a_SOURCES += %D%/signals.c %D%/signals.h
libkernel_a_SOURCES += %D%/stdin.c
libkernel_a_SOURCES += %D%/steer.c %D%/steer.h
libkernel_a_SOURCES += %D%/steer_cluster.c
libkernel_a_SOURCES += %D%/sweep.c %D%/sweep.h
libkernel_a_SOURCES += %D%/sweep_chart.c
libkernel_a_SOURCES += %D%/table.c %D%/table.h
libkernel_a_SOURCES += %D%/target.c %D%/target.h %D%/target_private.h
libkernel_a_SOURCES += %D%/target_find.c
libkernel_a_SOURCES += %D%/target_where.c
libkernel_a_SOURCES += %D%/tensorboard.c %D%/tensorboard.h
libkernel_a_SOURCES += %D%/text_output.c %D%/text_output.h
libkernel_a_SOURCES += %D%/thread.c %D%/thread.h
libkernel_a_SOURCES += %D%/url_cache.c %D%/url_cache.h
libkernel_a_SOURCES += %D%/usage.c %D%/usage.h
libkernel_a_SOURCES += %D%/zmq_library.c %D%/zmq_library.h
nodist_libkernel_a_SOURCES = \
	%D%/kernelspec_files.c \
	%D%/std_files.c

%D%/kernelspec_files.c: share/embed.sh $(KERNELSPEC_FILES)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SHELL) $(srcdir)/share/embed.sh KERNELSPEC_FILES \
		$(KERNELSPEC_FILES:%=$(srcdir)/%) >$@.tmp && mv $@.tmp $@
CLEANFILES += %D%/kernelspec_files.c

%D%/std_files.c: share/embed.sh $(STD_FILES)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SHELL) $(srcdir)/share/embed.sh STD_FILES $(STD_FILES:%=$(srcdir)/%) >$@.tmp && \
		mv $@.tmp $@
CLEANFILES += %D%/std_files.c

bin_PROGRAMS += lateen
lateen_SOURCES = %D%/main.c
lateen_LDADD = libkernel.a libruntime.a libdsl.a libbase.a $(LATEEN_LIBS)
