package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_LIMIT_* and NFTA_QUOTA_*; net/netfilter/nft_limit.c, nft_quota.c.
const (
	limitRate  = 1
	limitUnit  = 2
	limitBurst = 3
	limitType  = 4
	limitFlags = 5

	limitBytes = 1 // NFT_LIMIT_PKT_BYTES
	limitOver  = 1 // NFT_LIMIT_F_INV

	quotaBytes    = 1
	quotaFlags    = 2
	quotaConsumed = 4

	quotaOver     = 1 // NFT_QUOTA_F_INV
	quotaDepleted = 2 // NFT_QUOTA_F_DEPLETED, which the kernel says and does not take
)

func (w *writer) limit(e program.Limit) {
	at := w.begin("limit")
	w.u64(limitRate, e.Rate)
	w.u64(limitUnit, e.Unit)
	w.u32(limitBurst, e.Burst)
	w.u32(limitType, flag(e.Bytes, limitBytes))
	w.u32(limitFlags, flag(e.Over, limitOver))
	w.done(at)
}

func decodeLimit(f *fields) program.Expr {
	return program.Limit{
		Rate: f.u64(limitRate), Unit: f.u64(limitUnit), Burst: f.u32(limitBurst),
		Bytes: f.u32(limitType) == limitBytes, Over: f.u32(limitFlags) == limitOver,
	}
}

func (w *writer) quota(e program.Quota) {
	at := w.begin("quota")
	w.u64(quotaBytes, e.Bytes)
	w.u64(quotaConsumed, e.Consumed)
	w.u32(quotaFlags, flag(e.Over, quotaOver))
	w.done(at)
}

// depletedQuota is a quota that is used up, as the kernel dumps it.
func (w *writer) depletedQuota(e program.Quota) {
	at := w.begin("quota")
	w.u64(quotaBytes, e.Bytes)
	w.u64(quotaConsumed, e.Consumed)
	w.u32(quotaFlags, flag(e.Over, quotaOver)|quotaDepleted)
	w.done(at)
}

func decodeQuota(f *fields) program.Expr {
	return program.Quota{Bytes: f.u64(quotaBytes), Consumed: f.u64(quotaConsumed), Over: f.u32(quotaFlags)&quotaOver != 0}
}

func flag(on bool, bit uint32) uint32 {
	if on {
		return bit
	}
	return 0
}
