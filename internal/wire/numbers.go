package wire

// Numbers of the kernel's ABI that the program package has no use for, from
// include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h, nf_tables_compat.h and
// linux/netlink.h. They are repeated here because the libraries that have them
// build on Linux only.

// Message types; those of nf_tables have the subsystem in the high byte.
const (
	TypeError = 2
	TypeDone  = 3

	typeBatchBegin = 0x10
	typeBatchEnd   = 0x11

	subsysTables = 10
	subsysCompat = 11

	NewTable    = subsysTables << 8
	GetTable    = subsysTables<<8 | 1
	DelTable    = subsysTables<<8 | 2
	NewChain    = subsysTables<<8 | 3
	GetChain    = subsysTables<<8 | 4
	DelChain    = subsysTables<<8 | 5
	NewRule     = subsysTables<<8 | 6
	GetRule     = subsysTables<<8 | 7
	DelRule     = subsysTables<<8 | 8
	NewSet      = subsysTables<<8 | 9
	GetSet      = subsysTables<<8 | 10
	DelSet      = subsysTables<<8 | 11
	NewElements = subsysTables<<8 | 12
	GetElements = subsysTables<<8 | 13
	DelElements = subsysTables<<8 | 14
	NewGen      = subsysTables<<8 | 15
	GetGen      = subsysTables<<8 | 16

	getCompat = subsysCompat << 8
)

// Message flags (NLM_F_*).
const (
	flagRequest = 0x1
	flagAck     = 0x4
	flagDump    = 0x300

	flagReplace = 0x100
	flagExcl    = 0x200
	flagNonRec  = 0x100 // of a deletion: not with what is in it
	flagCreate  = 0x400
	flagAppend  = 0x800

	flagCapped = 0x100 // of an error: the request is cut to its header
	flagTLVs   = 0x200 // of an error: attributes follow
)

// Attributes (NFTA_*), one group for each enum.
const (
	listElem = 1

	dataValue   = 1
	dataVerdict = 2

	verdictCode  = 1
	verdictChain = 2

	exprName = 1
	exprData = 2

	batchGenID = 1 // NFNL_BATCH_GENID

	genID = 1

	compatName = 1
	compatRev  = 2
	compatType = 3

	tableName     = 1
	tableFlags    = 2
	tableHandle   = 4
	tableUserData = 6
	tableOwner    = 7

	chainTable    = 1
	chainHandle   = 2
	chainName     = 3
	chainHook     = 4
	chainPolicy   = 5
	chainUse      = 6
	chainType     = 7
	chainCounters = 8
	chainUserData = 12

	hookNum      = 1
	hookPriority = 2
	hookDevice   = 3
	hookDevices  = 4

	counterBytes   = 1
	counterPackets = 2

	ruleTable       = 1
	ruleChain       = 2
	ruleHandle      = 3
	ruleExpressions = 4
	ruleCompat      = 5
	rulePosition    = 6
	ruleUserData    = 7

	ruleCompatProto = 1
	ruleCompatFlags = 2

	setTable    = 1
	setName     = 2
	setFlags    = 3
	setKeyType  = 4
	setKeyLen   = 5
	setDataType = 6
	setDataLen  = 7
	setPolicy   = 8
	setDesc     = 9
	setID       = 10
	setTimeout  = 11
	setGC       = 12
	setUserData = 13
	setObjType  = 15
	setHandle   = 16
	setExpr     = 17
	setExprs    = 18
	setCount    = 20

	descSize   = 1
	descConcat = 2

	listField = 1 // of descConcat
	fieldLen  = 1

	elemKey      = 1
	elemData     = 2
	elemFlags    = 3
	elemTimeout  = 4
	elemLeft     = 5 // NFTA_SET_ELEM_EXPIRATION
	elemUserData = 6
	elemExpr     = 7
	elemKeyEnd   = 10

	elemListTable    = 1
	elemListSet      = 2
	elemListElements = 3
	elemListSetID    = 4

	elemIntervalEnd = 0x1 // flags of an element
	elemCatchAll    = 0x2

	errMsg  = 1 // NLMSGERR_ATTR_*
	errOffs = 2
)

// dataTypeVerdict is NFT_DATA_VERDICT, a set's data type of a verdict map.
const dataTypeVerdict = 0xffffff00
