package match_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/rule/match"
)

func TestExamples(t *testing.T) { exttest.Anywhere(t, exttest.Load(t)) }

func TestExamplesAreComplete(t *testing.T) {
	exttest.Complete(t, exttest.Load(t), match.Extensions, "xt", "nft")
}

func TestEveryMatchIsRegistered(t *testing.T) { exttest.Registered(t, ".", match.Extensions) }
