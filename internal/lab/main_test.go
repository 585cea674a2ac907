//go:build linux

package lab_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// playEnv makes the test binary play an example program that calls Enter.
const playEnv = "GATEHOUSE_LAB_PLAY"

func TestMain(m *testing.M) {
	switch os.Getenv(playEnv) {
	case "exit":
		entered()
		os.Exit(7)
	case "sleep":
		entered()
		fmt.Println(os.Getpid())
		time.Sleep(30 * time.Second)
		os.Exit(1)
	}
	labtest.Main(m)
}

// entered calls Enter and prints what came of it.
func entered() {
	err := lab.Enter()
	if errors.Is(err, lab.ErrNoPrivilege) {
		fmt.Println("no privilege")
		os.Exit(3)
	}
	if err == nil {
		err = lab.Privileged()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
