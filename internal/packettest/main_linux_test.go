package packettest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }
