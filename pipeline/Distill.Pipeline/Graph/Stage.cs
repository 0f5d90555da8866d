using System.Text.Json.Nodes;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>What a stage computes on: a label for whoever hands out work.</summary>
internal enum StageResource
{
    Cpu,

    /// <summary>Runs or trains a model: wants the accelerator where there is one.</summary>
    Model,
}

/// <summary>A student that a stage makes. Tables, plots, comparisons and the evaluation follow from it.</summary>
/// <param name="Name">As commands and files call it, e.g. <c>sft</c>.</param>
/// <param name="Label">As plots call it, e.g. <c>steps</c>.</param>
/// <param name="Description">What was done to it, in half a sentence.</param>
/// <param name="Continues">Whether later trainings go on from it; otherwise it is there to be compared with.</param>
/// <param name="Note">What its training is called where the report tells its result in a sentence; null where it does not.</param>
internal sealed record StudentDeclaration(string Name, string Label, string Description, bool Continues = true, string? Note = null);

/// <summary>
/// Everything a run needs to know of a stage, said once. What the stage makes follows from its version, options and inputs alone, which is
/// what the store relies on: no paths, no concurrency, no times among the options.
/// </summary>
internal sealed record StageDeclaration
{
    /// <summary>Unique within a run, e.g. <c>sft</c> or <c>evaluation/teacher</c>; what stands before the slash is its group.</summary>
    public required string Name { get; init; }

    /// <summary>Its link in the folder of a run, e.g. <c>4-sft</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>Kind of the artefact, e.g. <c>checkpoint</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Raised whenever the code could make something else of the same options and inputs.</summary>
    public required int Version { get; init; }

    /// <summary>Names of earlier stages, or of models given by the recipe (<see cref="ExternalInputs"/>).</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>
    /// The stage that this one lets begin or not. Its result is no input of that stage, which comes out the same without it.
    /// </summary>
    public string? GateOf { get; init; }

    /// <summary>Everything of the recipe that decides the result.</summary>
    public JsonObject Options { get; init; } = [];

    public StageResource Resource { get; init; } = StageResource.Cpu;

    /// <summary>Null for stages that train nothing.</summary>
    public StudentDeclaration? Student { get; init; }

    /// <summary>
    /// Options of which some say nothing: those that are null are left out, so that a new one leaves old keys as they are.
    /// </summary>
    public static JsonObject OptionsOf(params ReadOnlySpan<(string Name, JsonNode? Value)> options)
    {
        var named = new JsonObject();
        foreach (var (name, value) in options)
        {
            if (value is not null) named[name] = value;
        }

        return named;
    }

    /// <summary>What <c>--from</c>, <c>--only</c> and <c>--force</c> name.</summary>
    public string Group => Name.Split('/')[0];
}

/// <summary>
/// One step of a run: reads artefacts, writes one. Knows no scheduler and no other stage. One instance belongs to one run.
/// </summary>
internal interface IStage
{
    StageDeclaration Declaration { get; }

    /// <summary>How much there is to do, in words.</summary>
    string Work { get; }

    /// <summary>The same in numbers, for predictions; null where the stage does not say.</summary>
    /// <param name="earlier">What the stages before it make.</param>
    StageLoad? Load(Foresight earlier) => null;

    /// <summary>Rows of what it made, as the stages after it read them.</summary>
    long RowsOf(Artifact made) => made.Manifest.Files.Sum(file => file.Rows ?? 0);

    /// <summary>Bytes that it took of the disk.</summary>
    long BytesOf(Artifact made) => made.Manifest.Files.Sum(file => file.Bytes);

    /// <summary>
    /// Most memory that its models and their buffers take, predicted before they are opened; null where that is little or unknown.
    /// </summary>
    StageMemory? Memory => null;

    /// <summary>How far unfinished work is, e.g. <c>step 693 of 1,082</c>; null where that cannot be told.</summary>
    string? Continuation(string folder) => null;

    /// <returns>The result in one line; no times, since it becomes part of the artefact.</returns>
    string Run(StageContext context);
}

/// <summary>
/// A stage whose work is divided by index. What a unit makes does not depend on who makes it, when, or beside which others.
/// </summary>
internal interface IDividedStage : IStage
{
    /// <summary>Opens what the units share. The caller disposes it.</summary>
    IStageWork Begin(StageContext context);

    string IStage.Run(StageContext context)
    {
        using var work = Begin(context);
        context.Executor.Run(work, context.Cancellation);
        return work.Finish();
    }
}

/// <summary>The units of a divided stage. One thread calls it; disposing it closes what the units share.</summary>
internal interface IStageWork : IDisposable
{
    int Units { get; }

    /// <summary>Whether a unit's result lies there already, whole.</summary>
    bool IsDone(int unit);

    /// <summary>Makes the results of some units, each committed when it is whole.</summary>
    void Run(IReadOnlyList<int> units, CancellationToken cancellation);

    /// <summary>Joins the results of all units into the artefact.</summary>
    /// <returns>The result in one line.</returns>
    string Finish();
}

/// <summary>Who does the units of a stage.</summary>
internal interface IStageExecutor
{
    /// <summary>Returns when every unit is done.</summary>
    void Run(IStageWork work, CancellationToken cancellation);
}

/// <summary>All units that are not done, in order, by the caller.</summary>
internal sealed class InProcessExecutor : IStageExecutor
{
    public void Run(IStageWork work, CancellationToken cancellation)
    {
        int[] open = [.. Enumerable.Range(0, work.Units).Where(unit => !work.IsDone(unit))];
        if (open.Length > 0) work.Run(open, cancellation);
    }
}
