package target_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestExamplesInTheKernel(t *testing.T) { exttest.Kernel(t, exttest.Load(t)) }

func TestExamplesAgainstIptables(t *testing.T) { exttest.IPTables(t, exttest.Load(t)) }

func TestExamplesInIptablesTables(t *testing.T) {
	exttest.Shared(t, exttest.Load(t))
}
