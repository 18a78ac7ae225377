// What Argo's own code makes of workflows.
//
//	validator [-lint] FILE…      its validator: a line "ok FILE" or "bad FILE: MESSAGE" for each. With -lint, a parameter
//	                             of the workflow may lack a value, as for `argo lint`.
//	validator -fill RESULTS FILE its substitution: whether the first template's tasks run, and their containers once the
//	                             arguments are filled in, as JSON by task. RESULTS is JSON, {"TASK": {"OUTPUT": "TEXT"}}.
//
// Nobody is asked for templates that live outside of the file. Of a task with a loop or an inner
// DAG -fill says only whether it runs.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/Knetic/govaluate"
	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/util/template"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	"github.com/argoproj/argo-workflows/v3/workflow/validate"
	"sigs.k8s.io/yaml"
)

type results map[string]map[string]string

func read(name string) (*wfv1.Workflow, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	workflow := &wfv1.Workflow{}
	return workflow, yaml.UnmarshalStrict(text, workflow)
}

func check(name string, lint bool) error {
	workflow, err := read(name)
	if err != nil {
		return err
	}
	return validate.ValidateWorkflow(nil, nil, workflow, nil, validate.ValidateOpts{Lint: lint})
}

// The variables that hold for the whole run.
func globals(workflow *wfv1.Workflow) common.Parameters {
	known := common.Parameters{"workflow.name": "run-x", "workflow.uid": "id-x", "workflow.namespace": "ns-x"}
	for _, parameter := range workflow.Spec.Arguments.Parameters {
		if parameter.Value != nil {
			known["workflow.parameters."+parameter.Name] = parameter.Value.String()
		}
	}
	return known
}

// As the controller does for a task whose dependencies have ended.
func resolve(task wfv1.DAGTask, root *wfv1.Template, known common.Parameters, ended results) (*wfv1.DAGTask, error) {
	scope := template.ToAnyMap(known)
	for _, parameter := range root.Inputs.Parameters {
		scope["inputs.parameters."+parameter.Name] = parameter.Value.String()
	}
	for name, outputs := range ended {
		for output, text := range outputs {
			scope["tasks."+name+".outputs.parameters."+output] = text
		}
	}
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	filled, err := template.ReplaceStrictAny(string(text), scope, []string{"tasks", "steps"})
	if err != nil {
		return nil, err
	}
	resolved := &wfv1.DAGTask{}
	if err := json.Unmarshal([]byte(filled), resolved); err != nil {
		return nil, err
	}
	for i := range resolved.Arguments.Artifacts {
		artifact := &resolved.Arguments.Artifacts[i]
		if artifact.From != "" { // a place in the store that only a run has
			artifact.Raw = &wfv1.RawArtifact{Data: artifact.From}
			artifact.From = ""
		}
	}
	return resolved, nil
}

// As the controller does before it makes the pod.
func instantiate(pod *wfv1.Template, task *wfv1.DAGTask, known common.Parameters) (*wfv1.Template, error) {
	local := common.Parameters{"pod.name": "pod-x"}
	processed, err := common.ProcessArgs(pod, &task.Arguments, known, local, false, "", nil)
	if err != nil {
		return nil, err
	}
	return common.SubstituteParams(processed, known, local)
}

// Does the task run? Words without quotes are texts, as for the controller.
func runs(when string) (bool, error) {
	if when == "" {
		return true, nil
	}
	expression, err := govaluate.NewEvaluableExpression(when)
	if err != nil {
		return false, err
	}
	tokens := expression.Tokens()
	for i := range tokens {
		if tokens[i].Kind == govaluate.VARIABLE {
			tokens[i].Kind = govaluate.STRING
		}
	}
	if expression, err = govaluate.NewEvaluableExpressionFromTokens(tokens); err != nil {
		return false, err
	}
	result, err := expression.Evaluate(nil)
	if err != nil {
		return false, err
	}
	holds, ok := result.(bool)
	if !ok {
		return false, fmt.Errorf("%q is no condition", when)
	}
	return holds, nil
}

func fill(name string, ended results) (map[string]any, error) {
	workflow, err := read(name)
	if err != nil {
		return nil, err
	}
	known := globals(workflow)
	entry := workflow.GetTemplateByName(workflow.Spec.Entrypoint)
	root, err := common.ProcessArgs(entry, &workflow.Spec.Arguments, known, common.Parameters{}, false, "", nil)
	if err != nil {
		return nil, err
	}
	found := map[string]any{}
	for _, task := range root.DAG.Tasks {
		resolved, err := resolve(task, root, known, ended)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", task.Name, err)
		}
		holds, err := runs(resolved.When)
		if err != nil {
			return nil, fmt.Errorf("%s: when %s: %w", task.Name, resolved.When, err)
		}
		if next := workflow.GetTemplateByName(resolved.Template); next.Container == nil {
			found[task.Name] = map[string]any{"runs": holds}
			continue
		}
		pod, err := instantiate(workflow.GetTemplateByName(resolved.Template), resolved, known)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", task.Name, err)
		}
		found[task.Name] = map[string]any{"runs": holds, "container": pod.Container, "artifacts": pod.Inputs.Artifacts}
	}
	return found, nil
}

func printFilled(name string, text string) error {
	ended := results{}
	if err := json.Unmarshal([]byte(text), &ended); err != nil {
		return err
	}
	found, err := fill(name, ended)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func main() {
	lint := flag.Bool("lint", false, "parameters need no value")
	ended := flag.String("fill", "", "outputs of tasks, as JSON")
	flag.Parse()
	status := 0
	for _, name := range flag.Args() {
		if *ended != "" {
			if err := printFilled(name, *ended); err != nil {
				fmt.Fprintln(os.Stderr, err)
				status = 1
			}
		} else if err := check(name, *lint); err != nil {
			fmt.Printf("bad %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
			status = 1
		} else {
			fmt.Printf("ok %s\n", name)
		}
	}
	os.Exit(status)
}
