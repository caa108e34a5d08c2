// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the instruction a probe is put on. Must not open files nor know which function it looks
 * at: code bytes in, an offset out.
 *
 * The code is walked linearly, as a compiler lays it out. Data between instructions can throw such
 * a walk off, so whatever the walk cannot vouch for counts against a place, never for it: the worst
 * that wrong bytes do is a slower probe.
 */
#include <Zydis/Zydis.h>
#include <stdio.h>

#include "elf/prologue.h"

/* Sets of registers: a bit for each of the sixteen in the order of their encoding, and for rip. */
#define REGISTER(name) (1u << (ZYDIS_REGISTER_##name - ZYDIS_REGISTER_RAX))
#define REGISTER_RIP (1u << 16)

/* What a system call takes and returns. */
#define SYSCALL_REGISTERS                                                                          \
	(REGISTER(RAX) | REGISTER(RDI) | REGISTER(RSI) | REGISTER(RDX) | REGISTER(R10) |           \
	 REGISTER(R8) | REGISTER(R9))

/* A frame deeper than this is taken for a misread instruction. */
#define STACK_BYTES_MAX (1 << 20)

struct code {
	ZydisDecoder decoder;
	const uint8_t *bytes;
	size_t size;
};

struct insn {
	size_t offset;
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* What is known while falling through a function from its entry. */
struct fall {
	bool depth_known;
	int64_t depth;		/* bytes pushed below the return address */
	bool number_known;	/* rax was last written by the mov at number_offset */
	uint64_t number;
	size_t number_offset;
};

static struct code open_code(const uint8_t *bytes, size_t size)
{
	struct code code = { .bytes = bytes, .size = size };

	ZydisDecoderInit(&code.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return code;
}

static bool decode(const struct code *code, size_t offset, struct insn *insn)
{
	insn->offset = offset;
	return offset < code->size &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&code->decoder, code->bytes + offset,
						   code->size - offset, &insn->decoded,
						   insn->operands));
}

static const uint8_t *bytes_of(const struct code *code, const struct insn *insn)
{
	return code->bytes + insn->offset;
}

/*
 * What arch/x86/kernel/uprobes.c emulates ("uprobes/x86: Emulate push insns for uprobe on x86" in
 * Linux 4.16 was the last of them), as plain encodings. A prefix changes the first byte and so is
 * refused: the kernel would take some, but never 0x66, and before a push no REX but 0x41.
 */
static bool is_emulated(const struct code *code, const struct insn *insn)
{
	const uint8_t *b = bytes_of(code, insn);

	switch (insn->decoded.length) {
	case 1:
		return (b[0] & 0xf8) == 0x50 || b[0] == 0x90;
	case 2:
		return (b[0] == 0x41 && (b[1] & 0xf8) == 0x50) || (b[0] & 0xf0) == 0x70 ||
		       b[0] == 0xeb;
	case 5:
		return b[0] == 0xe8 || b[0] == 0xe9;
	case 6:
		return b[0] == 0x0f && (b[1] & 0xf0) == 0x80;
	default:
		return false;
	}
}

/* The general registers that may be changed, and rip for any instruction that may go elsewhere. */
static uint32_t written_registers(const struct insn *insn)
{
	uint32_t written = 0;
	int i;

	for (i = 0; i < insn->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];
		ZydisRegister whole;

		if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		/* To Zydis nothing encloses rip, not even rip. */
		if (operand->reg.value == ZYDIS_REGISTER_RIP)
			written |= REGISTER_RIP;
		whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
							 operand->reg.value);
		if (whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15)
			written |= 1u << (whole - ZYDIS_REGISTER_RAX);
	}
	return written;
}

/* Nobody gets past it, yet it writes no rip. */
static bool is_dead_end(const struct insn *insn)
{
	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return true;
	default:
		return false;
	}
}

static bool is_register(const ZydisDecodedOperand *operand, ZydisRegister reg)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == reg;
}

/*
 * A jump through a register or a table, whose targets the code does not tell. One through a plain
 * variable (rip-relative) calls another function in tail position and stays out of this one.
 */
static bool is_table_jump(const ZydisDecodedInstruction *decoded)
{
	return decoded->mnemonic == ZYDIS_MNEMONIC_JMP && !decoded->raw.imm[0].is_relative &&
	       !(decoded->raw.modrm.mod == 0 && decoded->raw.modrm.rm == 5);
}

/*
 * Whether a branch of the function leads into (after, upto], so that the way from `after` to `upto`
 * is not the only one to get there. Clears *certain when there may be branches that were not seen:
 * jump tables, and whatever comes behind bytes that do not decode.
 */
static bool is_joined(const struct code *code, size_t after, size_t upto, bool *certain)
{
	size_t offset = 0;

	*certain = true;
	while (offset < code->size) {
		ZydisDecodedInstruction decoded;
		uint64_t target;

		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&code->decoder, NULL,
							      code->bytes + offset,
							      code->size - offset, &decoded))) {
			*certain = false;
			break;
		}
		offset += decoded.length;
		if (decoded.raw.imm[0].is_relative) {
			/* A target before the function wraps around and is far above `upto`. */
			target = offset + decoded.raw.imm[0].value.u;
			if (target > after && target <= upto)
				return true;
		} else if (is_table_jump(&decoded)) {
			*certain = false;
		}
	}
	return false;
}

static void set_site(struct probe_site *site, const struct insn *insn, uint32_t stack_bytes,
		     bool emulated)
{
	ZydisFormatter formatter;

	site->offset = insn->offset;
	site->stack_bytes = stack_bytes;
	site->emulated = emulated;
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	if (ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &insn->decoded, insn->operands,
							insn->decoded.operand_count_visible,
							site->text, sizeof(site->text),
							ZYDIS_RUNTIME_ADDRESS_NONE, NULL)))
		snprintf(site->text, sizeof(site->text), "%s",
			 ZydisMnemonicGetString(insn->decoded.mnemonic));
}

static uint32_t argument_registers(uint32_t args)
{
	return (args & PROLOGUE_RDI ? REGISTER(RDI) : 0) |
	       (args & PROLOGUE_RSI ? REGISTER(RSI) : 0) |
	       (args & PROLOGUE_RDX ? REGISTER(RDX) : 0) |
	       (args & PROLOGUE_RCX ? REGISTER(RCX) : 0) | (args & PROLOGUE_R8 ? REGISTER(R8) : 0) |
	       (args & PROLOGUE_R9 ? REGISTER(R9) : 0);
}

/* The first emulated instruction, unless one before it spoils what the probe reads there. */
static bool find_emulated(const struct code *code, uint32_t keep, struct insn *insn)
{
	size_t offset = 0;

	while (decode(code, offset, insn)) {
		if (is_emulated(code, insn))
			return true;
		if ((written_registers(insn) & keep) || is_dead_end(insn))
			return false;
		offset += insn->decoded.length;
	}
	return false;
}

void prologue__entry_site(const uint8_t *code, size_t size, uint32_t args, struct probe_site *site)
{
	uint32_t keep = argument_registers(args) | REGISTER(RSP) | REGISTER_RIP;
	struct code walk = open_code(code, size);
	bool certain, joined;
	struct insn insn;

	*site = (struct probe_site){ .text = "?" };
	if (find_emulated(&walk, keep, &insn)) {
		/* The first byte is passed as often as the function starts over, no help for it. */
		if (insn.offset == 0) {
			set_site(site, &insn, 0, true);
			return;
		}
		/*
		 * Branches we may have missed do not lead to a push: it would grow the stack with
		 * every round.
		 */
		joined = is_joined(&walk, 0, insn.offset, &certain);
		if (!joined && (certain || insn.decoded.mnemonic == ZYDIS_MNEMONIC_PUSH)) {
			set_site(site, &insn, 0, true);
			return;
		}
	}
	if (decode(&walk, 0, &insn))
		set_site(site, &insn, 0, false);
}

/* How far an instruction moves the stack down; false when its bytes alone do not tell. */
static bool stack_growth(const struct insn *insn, int64_t *growth)
{
	const ZydisDecodedOperand *operands = insn->operands;
	const ZydisDecodedInstruction *decoded = &insn->decoded;

	*growth = 0;
	/* A call pushes, and the return pops before the fall goes on. */
	if (!(written_registers(insn) & REGISTER(RSP)) ||
	    decoded->meta.category == ZYDIS_CATEGORY_CALL)
		return true;
	if (decoded->mnemonic == ZYDIS_MNEMONIC_PUSH) {
		*growth = decoded->operand_width / 8;
		return true;
	}
	if (decoded->mnemonic == ZYDIS_MNEMONIC_POP &&
	    !is_register(&operands[0], ZYDIS_REGISTER_RSP)) {
		*growth = -(decoded->operand_width / 8);
		return true;
	}
	if (!is_register(&operands[0], ZYDIS_REGISTER_RSP) ||
	    operands[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return false;
	/* Immediates are at most 32 bits here, so the minus cannot overflow. */
	if (decoded->mnemonic == ZYDIS_MNEMONIC_SUB)
		*growth = operands[1].imm.value.s;
	else if (decoded->mnemonic == ZYDIS_MNEMONIC_ADD)
		*growth = -operands[1].imm.value.s;
	else
		return false;
	return true;
}

static void fall_past(struct fall *fall, const struct insn *insn)
{
	const ZydisDecodedOperand *operands = insn->operands;
	ZydisInstructionCategory category = insn->decoded.meta.category;
	uint32_t written = written_registers(insn);
	int64_t growth;

	/* Nothing falls through these; what follows is entered from elsewhere. */
	if (category == ZYDIS_CATEGORY_UNCOND_BR || category == ZYDIS_CATEGORY_RET ||
	    is_dead_end(insn)) {
		*fall = (struct fall){ 0 };
		return;
	}
	if (!stack_growth(insn, &growth))
		fall->depth_known = false;
	else
		fall->depth += growth;
	if (fall->depth < 0 || fall->depth > STACK_BYTES_MAX) {
		fall->depth_known = false;
		fall->depth = 0;
	}

	if (insn->decoded.mnemonic == ZYDIS_MNEMONIC_MOV &&
	    operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    (is_register(&operands[0], ZYDIS_REGISTER_EAX) ||
	     is_register(&operands[0], ZYDIS_REGISTER_RAX))) {
		fall->number_known = true;
		fall->number = operands[1].imm.value.u;
		fall->number_offset = insn->offset;
	} else if ((written & REGISTER(RAX)) ||
		   ((written & REGISTER_RIP) && category != ZYDIS_CATEGORY_COND_BR)) {
		/* Calls and system calls return something. */
		fall->number_known = false;
	}
}

/*
 * Finds the one syscall with the number, and what was known when falling into it. A system call
 * whose number cannot be told might be another of the kind, so it spoils the search. Those behind
 * bytes that do not decode are the business of is_joined().
 */
static bool find_syscall(const struct code *code, uint32_t number, struct insn *syscall,
			 struct fall *at_syscall)
{
	struct fall fall = { .depth_known = true };
	bool found = false;
	size_t offset = 0;
	struct insn insn;

	while (decode(code, offset, &insn)) {
		if (insn.decoded.mnemonic == ZYDIS_MNEMONIC_SYSCALL) {
			if (!fall.number_known || (found && fall.number == number))
				return false;
			if (fall.number == number) {
				found = true;
				*syscall = insn;
				*at_syscall = fall;
			}
		}
		fall_past(&fall, &insn);
		offset += insn.decoded.length;
	}
	return found;
}

/* The conditional jump behind `offset`, if the registers get there as they are. */
static bool find_jump(const struct code *code, size_t offset, struct insn *insn)
{
	uint32_t keep = SYSCALL_REGISTERS | REGISTER(RSP) | REGISTER_RIP;

	while (decode(code, offset, insn)) {
		if (insn->decoded.meta.category == ZYDIS_CATEGORY_COND_BR)
			return is_emulated(code, insn);
		if ((written_registers(insn) & keep) || is_dead_end(insn))
			return false;
		offset += insn->decoded.length;
	}
	return false;
}

bool prologue__syscall_site(const uint8_t *code, size_t size, uint32_t syscall_nr,
			    struct probe_site *site)
{
	struct code walk = open_code(code, size);
	struct insn syscall = { 0 }, jump;
	struct fall fall = { 0 };
	bool certain;

	*site = (struct probe_site){ .text = "?" };
	if (!find_syscall(&walk, syscall_nr, &syscall, &fall) || !fall.depth_known ||
	    !find_jump(&walk, syscall.offset + syscall.decoded.length, &jump))
		return false;
	/* Coming in behind the mov would bring another number, or skip the system call. */
	if (is_joined(&walk, fall.number_offset, jump.offset, &certain) || !certain)
		return false;
	set_site(site, &jump, fall.depth, true);
	return true;
}
