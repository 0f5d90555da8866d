using System.Text.Json.Nodes;

namespace Distill.Pipeline.Runs;

/// <summary>
/// One step of a run: reads artefacts, writes one. What it makes follows from its version, options and inputs alone, which is what the
/// cache relies on. One instance belongs to one run.
/// </summary>
internal interface IStage
{
    /// <summary>Unique within a run, e.g. <c>sft</c> or <c>evaluation/teacher</c>.</summary>
    string Name { get; }

    /// <summary>Folder of the artefact below the run's, e.g. <c>4-sft</c>.</summary>
    string Folder { get; }

    /// <summary>Kind of the artefact, e.g. <c>checkpoint</c>.</summary>
    string Kind { get; }

    /// <summary>Raised whenever the code could make something else of the same options and inputs.</summary>
    int Version { get; }

    /// <summary>Names of earlier stages, or of models given by the recipe (<see cref="ExternalInputs"/>).</summary>
    IReadOnlyList<string> Inputs { get; }

    /// <summary>Everything of the recipe that decides the result; no paths, no concurrency.</summary>
    JsonObject Options { get; }

    /// <summary>How much there is to do, in words.</summary>
    string Work { get; }

    /// <summary>Most memory that its models and their buffers take, predicted before they are opened; null where that is little or unknown.</summary>
    long? MemoryBytes => null;

    /// <returns>The result in one line; no times, since it becomes part of the artefact.</returns>
    string Run(StageContext context);
}
