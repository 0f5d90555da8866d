using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// What a session works in: cache, inputs and logits in a device's memory, and the runs that are bound to them. It can serve one session
/// after another, so that what was recorded over its addresses serves them too. One session at a time; dispose it before model and
/// weights.
/// </summary>
internal sealed class DecodeBuffers : IDisposable
{
    private readonly OnnxTokenModel model;
    private readonly BoundWeights? weights;
    private readonly BoundRun?[] steps;   // by number of rows
    private readonly BoundRun?[] prompts; // by slot

    /// <param name="capacity">Tokens of a slot.</param>
    /// <param name="weights">For a graph that takes its weights as inputs; they stay the caller's and outlive this.</param>
    /// <param name="records">Null: nothing is recorded.</param>
    public DecodeBuffers(
        OnnxTokenModel model, SharedDevice device, int slots, int capacity, BoundWeights? weights, StepRecords? records)
    {
        (this.model, this.weights, Records, Slots, Capacity) = (model, weights, records, slots, capacity);
        Chunk = Layout.Chunk(capacity);
        Part = Layout.Part(capacity);
        Cache = new DeviceCache(model.Signature, device, slots, capacity);
        Inputs = new DeviceInputs(device, slots, capacity, Part);
        StepLogits = new BoundTensor(device, Layout.LogitsType, slots, Layout.VocabularySize);
        PromptLogits = new BoundTensor(device, Layout.LogitsType, Chunk, Layout.VocabularySize);
        FirstLogits = new BoundTensor(device, Layout.LogitsType, slots, Layout.VocabularySize);
        steps = new BoundRun?[slots + 1];
        prompts = new BoundRun?[slots];
    }

    public int Slots { get; }

    /// <summary>Tokens that a slot has room for.</summary>
    public int Capacity { get; }

    /// <summary>Longest part of a prompt whose positions all get logits.</summary>
    public int Chunk { get; }

    /// <summary>Longest part of another.</summary>
    public int Part { get; }

    public DeviceCache Cache { get; }

    public DeviceInputs Inputs { get; }

    /// <summary>[slots, vocab]</summary>
    public BoundTensor StepLogits { get; }

    /// <summary>[chunk, vocab]</summary>
    public BoundTensor PromptLogits { get; }

    /// <summary>[slots, vocab]: after the prompt that was read into a slot.</summary>
    public BoundTensor FirstLogits { get; }

    public StepRecords? Records { get; }

    /// <summary>Bytes of all that is bound.</summary>
    public SessionMemory Memory =>
        new(Cache.Bytes, StepLogits.Bytes + PromptLogits.Bytes + FirstLogits.Bytes, Inputs.Bytes);

    private CacheLayout Layout => model.Signature.Layout;

    /// <summary>Whether a session of such a size over these weights, opened by this thread, can have it and its records.</summary>
    public bool Suits(int slots, int capacity, BoundWeights? others) =>
        Slots == slots && Capacity == capacity && ReferenceEquals(weights, others)
        && Records?.AreOf(Environment.CurrentManagedThreadId) != false;

    /// <summary>A part of a prompt, of one slot.</summary>
    public BoundRun Prompt(int slot) => prompts[slot] ??= BindSlot(slot);

    /// <summary>A step over slots 0..rows−1.</summary>
    public BoundRun Step(int rows) => steps[rows] ??= BindStep(rows);

    public void Dispose()
    {
        foreach (var run in steps) run?.Dispose();
        foreach (var run in prompts) run?.Dispose();
        Cache.Dispose();
        Inputs.Dispose();
        StepLogits.Dispose();
        PromptLogits.Dispose();
        FirstLogits.Dispose();
    }

    private BoundRun BindSlot(int slot)
    {
        var run = new BoundRun(model);
        weights?.Bind(run);
        Cache.Bind(run, slot, 1);
        return run;
    }

    private BoundRun BindStep(int rows)
    {
        var run = new BoundRun(model);
        weights?.Bind(run);
        Inputs.BindStep(run, model.Signature.Names, rows);
        bool selects = model.Signature.SelectsRows;
        if (selects) Inputs.BindRows(run, 0, rows);
        run.Output(model.Signature.Names.Logits, selects ? StepLogits.View(0, 1, rows, Layout.VocabularySize)
            : StepLogits.View(0, rows, 1, Layout.VocabularySize));
        Cache.Bind(run, 0, rows);
        return run;
    }
}
