package target_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

func TestExamples(t *testing.T) { exttest.Anywhere(t, exttest.Load(t)) }

func TestExamplesAreComplete(t *testing.T) {
	exttest.Complete(t, exttest.Load(t), target.Extensions, "XT", "NFT")
}

func TestEveryTargetIsRegistered(t *testing.T) { exttest.Registered(t, ".", target.Extensions) }
