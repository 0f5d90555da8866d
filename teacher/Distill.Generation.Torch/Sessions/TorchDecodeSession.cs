using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Distill.Generation.Torch.Sampling;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// Slots over one shared cache in a device's memory: libtorch owns cache, logits and inputs, ONNX Runtime computes in them by pointer, and
/// tokens are chosen by libtorch where the logits are. A part of a prompt is a batch-1 run bound to its slot's view; a step is one ragged
/// run over slots 0..n−1. Rows give what <see cref="SharedDecodeSession"/>'s give. One thread at a time, but for <see cref="Cancel"/>.
/// </summary>
internal sealed class TorchDecodeSession : ISamplingSession
{
    private readonly OnnxTokenModel model;
    private readonly SharedDevice device;
    private readonly DecodeBuffers buffers;
    private readonly Action<DecodeBuffers> giveBack;
    private readonly RunCancellation cancellation = new();
    private readonly StepRuns options;
    private readonly int[] lengths;
    private int stepped; // rows of the last step
    private bool disposed;

    /// <param name="maxLength">At most what the buffers hold.</param>
    /// <param name="giveBack">Takes the buffers when the session is disposed.</param>
    public TorchDecodeSession(
        OnnxTokenModel model, SharedDevice device, DecodeBuffers buffers, int maxLength, Action<DecodeBuffers> giveBack)
    {
        (this.model, this.device, this.buffers, this.giveBack, MaxLength) = (model, device, buffers, giveBack, maxLength);
        lengths = new int[buffers.Slots];
        options = new StepRuns(cancellation);
    }

    public int Slots => lengths.Length;

    public int MaxLength { get; }

    /// <summary>What it works in, until it is disposed.</summary>
    internal DecodeBuffers Buffers => buffers;

    private CacheLayout Layout => model.Signature.Layout;

    private GraphNames Names => model.Signature.Names;

    public int Length(int slot) => lengths[slot];

    public void Prefill(int slot, ReadOnlySpan<int> tokens) => Read(slot, tokens, everyPosition: false, static (_, _) => { });

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var turn = CardTurn.Shared();
        int vocabulary = Layout.VocabularySize;
        if (logits.Length == vocabulary)
        {
            Prefill(slot, tokens);
            HostTable.Copy(buffers.FirstLogits.Tensor[slot], logits);
            return;
        }

        if (logits.Length != (long)tokens.Length * vocabulary)
            throw new ArgumentException(
                $"Logits hold {logits.Length} values: neither one position ({vocabulary}) nor all.", nameof(logits));
        RequireEveryPosition();
        float[] all = new float[logits.Length];
        Read(
            slot, tokens, everyPosition: true,
            (start, rows) => HostTable.Copy(rows, all.AsSpan(start * vocabulary, (int)rows.NumberOfElements)));
        all.CopyTo(logits);
    }

    public void Score(int slot, ReadOnlySpan<int> tokens, ReadOnlySpan<int> following, FollowingScores scores)
    {
        using var turn = CardTurn.Shared();
        RequireEveryPosition();
        long[] targets = new long[following.Length];
        for (int i = 0; i < targets.Length; i++) targets[i] = following[i];
        Read(slot, tokens, everyPosition: true, (start, rows) =>
        {
            int known = Math.Min((int)rows.shape[0], targets.Length - start);
            if (known <= 0) return;
            var asked = tensor(targets.AsSpan(start, known).ToArray()).to(device.Device);
            new HostTable(TokenKernels.Score(rows.narrow(0, 0, known), asked, scores.Top)).CopyTo(scores, start, known);
        });
    }

    public void Step(ReadOnlySpan<int> tokens)
    {
        RequireUsable();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, Slots, nameof(tokens));
        stepped = tokens.Length;
        if (tokens.IsEmpty) return;
        for (int slot = 0; slot < tokens.Length; slot++)
        {
            if (lengths[slot] == MaxLength) throw Full(slot, 1);
        }

        for (int slot = 0; slot < tokens.Length; slot++) lengths[slot]++;
        var (record, isNew) = buffers.Records?.Of(tokens.Length) ?? (StepRecords.None, false);
        using var turn = isNew ? CardTurn.Alone() : CardTurn.Shared();
        buffers.Inputs.WriteStep(tokens, lengths.AsSpan(0, tokens.Length));
        if (isNew) Record(buffers.Records!, tokens.Length, record);
        else Run(buffers.Step(tokens.Length), record);
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Step(tokens);
        if (tokens.IsEmpty) return;
        using var turn = CardTurn.Shared();
        using var scope = NewDisposeScope();
        HostTable.Copy(buffers.StepLogits.Tensor.narrow(0, 0, tokens.Length), logits[..(tokens.Length * Layout.VocabularySize)]);
    }

    public void ChooseNext(ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
    {
        ObjectDisposedException.ThrowIf(disposed, this); // the buffers may serve another session
        if (queries.Length > stepped)
            throw new ArgumentException($"The last step had {stepped} rows, not {queries.Length}.", nameof(queries));
        using var turn = CardTurn.Shared();
        using var scope = NewDisposeScope();
        Choose(buffers.StepLogits.Tensor.narrow(0, 0, queries.Length), queries, answers);
    }

    public void ChooseFirst(int promptSlot, ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
    {
        ObjectDisposedException.ThrowIf(disposed, this); // the buffers may serve another session
        using var turn = CardTurn.Shared();
        using var scope = NewDisposeScope();
        Choose(buffers.FirstLogits.Tensor.narrow(0, promptSlot, 1).expand(queries.Length, Layout.VocabularySize), queries, answers);
    }

    public void CopyNext(int slot, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this); // the buffers may serve another session
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, stepped);
        using var turn = CardTurn.Shared();
        using var scope = NewDisposeScope();
        HostTable.Copy(buffers.StepLogits.Tensor[slot], logits);
    }

    public void CopyFirst(int promptSlot, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this); // the buffers may serve another session
        using var turn = CardTurn.Shared();
        using var scope = NewDisposeScope();
        HostTable.Copy(buffers.FirstLogits.Tensor[promptSlot], logits);
    }

    public void Copy(int from, int to, int length)
    {
        ObjectDisposedException.ThrowIf(disposed, this); // the buffers may serve another session
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[from]);
        using var turn = CardTurn.Shared();
        buffers.Cache.Copy(from, to, length);
        lengths[to] = length;
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[slot]);
        lengths[slot] = length;
    }

    public void Clear(int slot) => Truncate(slot, 0);

    public void Cancel() => cancellation.Cancel();

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        cancellation.Dispose();
        using var turn = CardTurn.Shared();
        giveBack(buffers);
    }

    private static void Choose(Tensor logits, ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
    {
        if (queries.IsEmpty) answers.Resize(0, 0);
        else HostTable.Choose(logits, queries, answers);
    }

    /// <summary>Reads tokens in parts and shows each part's logits, [rows, vocab], with the place of its first token.</summary>
    /// <param name="everyPosition">Whether a row is wanted for every token; otherwise the last of a part is enough.</param>
    private void Read(int slot, ReadOnlySpan<int> tokens, bool everyPosition, Action<int, Tensor> read)
    {
        RequireUsable();
        using var turn = CardTurn.Shared();
        if (tokens.IsEmpty) throw new ArgumentException("There must be at least one token.", nameof(tokens));
        if (lengths[slot] + tokens.Length > MaxLength) throw Full(slot, tokens.Length);
        bool oneRow = model.Signature.LastLogitsOnly || (model.Signature.SelectsRows && !everyPosition);
        int longest = oneRow ? buffers.Part : buffers.Chunk;
        for (int start = 0; start < tokens.Length; start += longest)
        {
            ReadOnlySpan<int> next = tokens.Slice(start, Math.Min(longest, tokens.Length - start));
            int rows = oneRow ? 1 : next.Length;
            lengths[slot] += next.Length;
            RunPart(slot, next, rows);
            using var scope = NewDisposeScope();
            read(start, buffers.PromptLogits.Tensor.narrow(0, 0, rows));
            if (start + next.Length == tokens.Length)
                buffers.FirstLogits.Tensor.narrow(0, slot, 1).copy_(buffers.PromptLogits.Tensor.narrow(0, rows - 1, 1));
        }
    }

    // What cannot be recorded is run as it is: the same row of the cache is written again.
    private void Record(StepRecords records, int rows, string record)
    {
        try
        {
            Run(buffers.Step(rows), record);
            records.Made(rows);
        }
        catch (InvalidDataException)
        {
            records.Failed(rows, stops: true);
            Run(buffers.Step(rows), StepRecords.None);
        }
        catch
        {
            records.Failed(rows, stops: false);
            throw;
        }
    }

    private void RunPart(int slot, ReadOnlySpan<int> tokens, int rows)
    {
        BoundRun run = buffers.Prompt(slot);
        buffers.Inputs.BindPart(run, Names, tokens, lengths[slot]);
        if (model.Signature.SelectsRows) buffers.Inputs.BindRows(run, tokens.Length - rows, rows);
        run.Output(Names.Logits, buffers.PromptLogits.View(0, 1, rows, Layout.VocabularySize));
        Run(run, StepRecords.None);
    }

    private void Run(BoundRun run, string record)
    {
        if (buffers.Records is not { } records)
        {
            Run(run, cancellation.Options);
            return;
        }

        var how = options.Of(record);
        lock (records.OneRun) Run(run, how);
    }

    private void Run(BoundRun run, RunOptions how)
    {
        device.BeforeRun();
        run.Run(how);
        device.AfterRun(run);
    }

    private void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        cancellation.ThrowIfCancelled();
    }

    private void RequireEveryPosition()
    {
        if (model.Signature.LastLogitsOnly) throw new NotSupportedException("This graph gives the logits of the last position only.");
    }

    private InvalidOperationException Full(int slot, int tokens) =>
        new($"Slot {slot} holds {lengths[slot]} of {MaxLength} tokens and cannot take {tokens} more.");
}
