// Reads workflow files and says what Argo's own validator says of them: one line a file, "ok NAME" or "bad NAME: MESSAGE".
// Like the workflow controller, but with nobody to ask for templates that live outside of the file. With -lint, a
// parameter of the workflow may lack a value, as for `argo lint`.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/validate"
	"sigs.k8s.io/yaml"
)

func check(name string, lint bool) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var workflow wfv1.Workflow
	if err := yaml.UnmarshalStrict(text, &workflow); err != nil {
		return err
	}
	return validate.ValidateWorkflow(nil, nil, &workflow, nil, validate.ValidateOpts{Lint: lint})
}

func main() {
	lint := flag.Bool("lint", false, "parameters need no value")
	flag.Parse()
	status := 0
	for _, name := range flag.Args() {
		if err := check(name, *lint); err != nil {
			fmt.Printf("bad %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
			status = 1
		} else {
			fmt.Printf("ok %s\n", name)
		}
	}
	os.Exit(status)
}
