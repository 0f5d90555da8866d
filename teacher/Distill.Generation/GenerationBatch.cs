namespace Distill.Generation;

/// <summary>
/// The live rows of one session, dense in slots 0..n−1 whenever a step runs. A request is prefilled once; its further seeds
/// start from a slot whose cache begins with its prompt, cut back to the prompt.
/// </summary>
internal sealed class GenerationBatch
{
    private readonly IDecodeSession session;
    private readonly RequestQueue queue;
    private readonly Sampler sampler;
    private readonly int vocabularySize;
    private readonly int maxLength;
    private readonly GenerationRow?[] rows;
    private readonly PromptState?[] held; // whose prompt a slot's cache begins with, also after its row ended
    private readonly int[] nextTokens;
    private readonly float[] logits;
    private int count;

    // The request whose seeds are being handed out. At most one at a time, and its seeds go first, so until the last of them
    // has started some slot still holds its prompt.
    private PromptState? opening;
    private GenerationProgress done;

    public GenerationBatch(IDecodeSession session, int vocabularySize, int maxLength, RequestQueue queue)
    {
        this.session = session;
        this.queue = queue;
        this.vocabularySize = vocabularySize;
        this.maxLength = maxLength;
        sampler = new Sampler(vocabularySize);
        rows = new GenerationRow?[session.Slots];
        held = new PromptState?[session.Slots];
        nextTokens = new int[session.Slots];
        logits = new float[(long)session.Slots * vocabularySize];
    }

    public void Run(CancellationToken cancellation)
    {
        do
        {
            Admit(cancellation);
            CloseHoles();
            if (count > 0) Step();
            queue.Report(done);
            done = default;
        }
        while (count > 0 && !queue.Closed);
    }

    private void Admit(CancellationToken cancellation)
    {
        for (int slot = 0; slot < rows.Length; slot++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (rows[slot] is null && !Occupy(slot)) return;
            count = Math.Max(count, slot + 1);
        }
    }

    /// <summary>Starts the next completion in a free slot; false when nothing is waiting. Completions of one token end right here.</summary>
    private bool Occupy(int slot)
    {
        do
        {
            if (opening is not { HasSeeds: true })
            {
                int index = queue.Take(out GenerationRequest? request);
                if (index < 0) return false;
                Prefill(slot, new PromptState(index, request!, vocabularySize, maxLength));
            }
            else if (held[slot] != opening)
            {
                Copy(Array.IndexOf(held, opening), slot);
            }

            session.Truncate(slot, opening!.Prompt.Length);
            rows[slot] = opening.NextRow();
        }
        while (Advance(slot, opening.Logits));
        return true;
    }

    private void Prefill(int slot, PromptState prompt)
    {
        session.Clear(slot);
        session.Prefill(slot, prompt.Prompt, prompt.Logits);
        held[slot] = opening = prompt;
        done += new GenerationProgress { Prefills = 1, PromptTokens = prompt.Prompt.Length };
    }

    private void CloseHoles()
    {
        for (int slot = 0; slot < count; slot++)
        {
            while (count > slot && rows[count - 1] is null) Release(--count);
            if (slot >= count || rows[slot] is not null) continue;
            Copy(count - 1, slot);
            rows[slot] = rows[count - 1];
            rows[count - 1] = null;
            Release(--count);
        }
    }

    private void Release(int slot)
    {
        session.Clear(slot);
        held[slot] = null;
    }

    private void Step()
    {
        for (int slot = 0; slot < count; slot++) nextTokens[slot] = rows[slot]!.LastToken;
        session.Step(nextTokens.AsSpan(0, count), logits.AsSpan(0, count * vocabularySize));
        done += new GenerationProgress { Steps = 1, RowSteps = count };
        for (int slot = 0; slot < count; slot++) Advance(slot, logits.AsSpan(slot * vocabularySize, vocabularySize));
    }

    /// <summary>Samples a slot's next token. True when that ended its row: the completion is handed over and the slot is free.</summary>
    private bool Advance(int slot, ReadOnlySpan<float> rowLogits)
    {
        GenerationRow row = rows[slot]!;
        Completion? completion = row.Advance(rowLogits, sampler);
        done += new GenerationProgress { CompletionTokens = 1 };
        if (completion is null) return false;
        rows[slot] = null;
        row.HandOver(queue, completion);
        return true;
    }

    private void Copy(int from, int to)
    {
        session.Copy(from, to, session.Length(from));
        held[to] = held[from];
        done += new GenerationProgress { Copies = 1 };
    }
}
