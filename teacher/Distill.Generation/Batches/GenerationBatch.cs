using Distill.Generation.Constraints;

namespace Distill.Generation;

/// <summary>
/// The live rows of one session, dense in slots 0..n−1 whenever a step runs. A request is read once; its further seeds start from a
/// slot whose cache begins with its prompt, cut back to the prompt; and a prefix that another request has read is copied.
/// </summary>
internal sealed class GenerationBatch
{
    private readonly IDecodeSession session;
    private readonly IRequestSource source;
    private readonly RowSampling sampling;
    private readonly JointReading? joint;
    private readonly int vocabularySize;
    private readonly int maxLength;
    private readonly int promptTokensPerStep;
    private readonly GenerationRow?[] rows;
    private readonly PromptState?[] held; // whose prompt a slot's cache begins with, also after its row ended
    private readonly int[] nextTokens;
    private readonly List<PromptState> waiting = []; // taken from the source to be read with others; there is a slot for each
    private readonly List<int> beginning = []; // slots of the opening request whose first token is still to be chosen
    private int count;

    // The request whose seeds are being handed out, and the slot that it is read into. At most one at a time, and its seeds go first,
    // so until the last of them has started some slot still holds its prompt.
    private PromptState? opening;
    private int openingSlot;
    private GenerationProgress done;

    /// <param name="promptTokensPerStep">Prompt tokens to read between two steps while rows are waiting for the next one.</param>
    public GenerationBatch(
        IDecodeSession session, int vocabularySize, int maxLength, IRequestSource source, int promptTokensPerStep = int.MaxValue)
    {
        this.session = session;
        this.source = source;
        this.vocabularySize = vocabularySize;
        this.maxLength = maxLength;
        this.promptTokensPerStep = promptTokensPerStep;
        sampling = RowSampling.Of(session, vocabularySize);
        joint = JointReading.Of(session, vocabularySize);
        rows = new GenerationRow?[session.Slots];
        held = new PromptState?[session.Slots];
        nextTokens = new int[session.Slots];
    }

    /// <summary>Works until the source has nothing more.</summary>
    public void Run(CancellationToken cancellation)
    {
        do
        {
            DropAbandoned();
            Admit(cancellation);
            CloseHoles();
            if (count > 0) Step();
            source.Report(done);
            done = default;
        }
        while ((count > 0 || waiting.Count > 0 || opening is { HasSeeds: true }) && !source.Closed);
    }

    private void DropAbandoned()
    {
        for (int slot = 0; slot < count; slot++)
        {
            if (rows[slot] is { Prompt.Ticket.Abandoned: true }) rows[slot] = null;
        }

        if (opening is { Ticket.Abandoned: true }) opening = null;
        waiting.RemoveAll(prompt => prompt.Ticket.Abandoned);
    }

    /// <summary>Fills free slots. A prompt too long for what may be read before the next step goes on after it.</summary>
    private void Admit(CancellationToken cancellation)
    {
        int budget = promptTokensPerStep;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            bool fresh = opening is not { HasSeeds: true };
            int slot = !fresh && rows[openingSlot] is null ? openingSlot : Array.IndexOf(rows, null);
            if ((fresh || slot < 0) && Begin()) continue;
            if (slot < 0) return;
            if (fresh && (budget <= 0 || !Open(slot, budget))) return;
            if (fresh && ReadJointly(ref budget)) continue;
            if (!Read(ref budget)) return;
            Start(fresh ? openingSlot : slot);
        }
    }

    /// <summary>Takes the next request and chooses its slot: outside the running rows when reading it may take several steps.</summary>
    private bool Open(int slot, int budget)
    {
        if ((waiting.Count > 0 ? waiting[0] : Take()) is not { } next) return false;
        waiting.Remove(next);
        opening = next;
        if (slot < count && opening.Prompt.Length > budget)
        {
            CloseHoles();
            slot = count;
        }

        openingSlot = slot;
        ReuseShared(slot);
        return true;
    }

    private PromptState? Take() => source.Take() is { } ticket ? new PromptState(ticket, vocabularySize, maxLength) : null;

    /// <summary>Reads the opening prompt with others that wait, and starts them all; false when it is to be read by itself.</summary>
    private bool ReadJointly(ref int budget)
    {
        if (joint is null || !joint.Takes(opening!)) return false;
        int free = rows.Count(row => row is null);
        LookAhead(joint.Room(opening!, free, budget) - 1);
        var prompts = joint.Choose(opening!, waiting, free, budget);
        if (prompts.Count == 1) return false;

        CloseHoles();
        int first = count;
        for (int slot = first; slot < first + prompts.Count; slot++) session.Clear(slot);
        int tokens = joint.Read(first, prompts);
        budget -= tokens;
        done += new GenerationProgress { PromptTokens = tokens, Prefills = prompts.Count };
        for (int i = 0; i < prompts.Count; i++)
        {
            (opening, openingSlot) = (prompts[i], first + i);
            held[openingSlot] = opening;
            Start(openingSlot);
        }

        return true;
    }

    /// <summary>Takes what the next run may read as well, and leaves the other workers theirs.</summary>
    /// <param name="most">Prompts that may wait then.</param>
    private void LookAhead(int most)
    {
        most = Math.Min(most, waiting.Count + source.Share);
        while (waiting.Count < most && waiting.All(prompt => prompt.Request.Seeds.Count == 1) && Take() is { } next) waiting.Add(next);
    }

    private void ReuseShared(int slot)
    {
        int from = opening!.Shared == 0 ? -1 : Array.FindIndex(held, prompt => prompt is not null && prompt.HasPrefixOf(opening));
        if (from >= 0 && from != slot)
        {
            session.Copy(from, slot, opening.Shared);
            done += new GenerationProgress { Copies = 1 };
        }

        session.Truncate(slot, from < 0 ? 0 : opening.Shared);
        if (from >= 0) opening.SkipShared();
        held[slot] = null;
    }

    /// <summary>Reads what the budget allows of the opening prompt, at least one part; true when all of it has been read.</summary>
    private bool Read(ref int budget)
    {
        if (opening!.IsRead) return true;
        do
        {
            if (!TryReadPart(out int tokens)) return false;
            budget -= tokens;
            done += new GenerationProgress { PromptTokens = tokens };
        }
        while (!opening.IsRead && (count == 0 || budget > 0));
        if (!opening.IsRead) return false;
        held[openingSlot] = opening;
        done += new GenerationProgress { Prefills = 1 };
        return true;
    }

    /// <summary>False when the request cannot be scored and was dropped for it.</summary>
    private bool TryReadPart(out int tokens)
    {
        tokens = 0;
        try
        {
            tokens = opening!.ReadPart(session, openingSlot);
            return true;
        }
        catch (Exception fault) when (
            fault is InvalidDataException or NotSupportedException && opening!.Scores is not null && opening.Ticket.TakesFault(fault))
        {
            opening = null;
            return false;
        }
    }

    /// <summary>Starts the opening request's next seed in a free slot.</summary>
    private void Start(int slot)
    {
        int prompt = opening!.Prompt.Length;
        if (held[slot] == opening) session.Truncate(slot, prompt);
        else Copy(Array.IndexOf(held, opening), slot, prompt);
        if (NextRow() is not { } row) return;
        if (row.IsFull) row.End(StopReason.Length);
        else
        {
            rows[slot] = row;
            count = Math.Max(count, slot + 1);
            beginning.Add(slot);
            if (!sampling.BeginsTogether) Begin();
        }
    }

    /// <summary>Null when the request's constraint failed and the request was dropped for it.</summary>
    private GenerationRow? NextRow()
    {
        try
        {
            return opening!.NextRow();
        }
        catch (ConstraintFault fault) when (opening!.Ticket.TakesFault(fault))
        {
            opening = null;
            return null;
        }
    }

    /// <summary>Samples first tokens. Completions of one token end right here; true when there was anything to do.</summary>
    private bool Begin()
    {
        if (beginning.Count == 0) return false;
        sampling.Begin(openingSlot, rows, beginning);
        for (int place = 0; place < beginning.Count; place++) Advance(beginning[place], place, first: true);
        beginning.Clear();
        return true;
    }

    private void CloseHoles()
    {
        for (int slot = 0; slot < count; slot++)
        {
            while (count > slot && rows[count - 1] is null) count--;
            if (slot >= count || rows[slot] is not null) continue;
            count--;
            Copy(count, slot, session.Length(count));
            (rows[slot], rows[count]) = (rows[count], null);
        }
    }

    private void Step()
    {
        for (int slot = 0; slot < count; slot++) nextTokens[slot] = rows[slot]!.LastToken;
        sampling.Step(nextTokens.AsSpan(0, count), rows.AsSpan(0, count));
        done += new GenerationProgress { Steps = 1, RowSteps = count };
        for (int slot = 0; slot < count; slot++) Advance(slot, slot, first: false);
    }

    /// <summary>Samples a slot's next token; the slot is free when that ended its row.</summary>
    private void Advance(int slot, int place, bool first)
    {
        try
        {
            GenerationRow row = rows[slot]!;
            if (first ? sampling.First(row, place) : sampling.Next(row, place)) rows[slot] = null;
        }
        catch (Exception fault) when (
            fault is InvalidDataException or ConstraintFault && rows[slot]!.Prompt.Ticket.TakesFault(fault))
        {
            rows[slot] = null;
        }

        done += new GenerationProgress { CompletionTokens = 1 };
    }

    private void Copy(int from, int to, int length)
    {
        session.Copy(from, to, length);
        held[to] = held[from];
        done += new GenerationProgress { Copies = 1 };
    }
}
