namespace Distill.Export.Parity.Localisation;

/// <summary>Where an exported model computes something else than the one it was made from.</summary>
/// <param name="Layer">From 0; null before the first layer and after the last.</param>
/// <param name="Part"><c>embedding</c>, <c>attention</c>, <c>mlp</c>, <c>norm</c> or <c>head</c>.</param>
/// <param name="Step"><c>q_proj</c> say; a step without weights has a name as well.</param>
/// <param name="Parameter">Of the checkpoint; null for a step without weights.</param>
/// <param name="Error">
/// How far the step is from the trained model's, given what the export itself feeds into it, as a share of the usual size of its numbers;
/// where <paramref name="Place"/> is given, of the stored weights.
/// </param>
/// <param name="Usual">Of the same step in the other layers; of all matrices where <paramref name="Place"/> is given.</param>
/// <param name="Place">Row and block of the stored matrix that is farthest from the trained weights; null where values were
/// compared.</param>
public sealed record FaultLocation(
    int? Layer, string Part, string Step, string? Parameter, double Error, double Usual, string? Place)
{
    public override string ToString() =>
        (Layer is { } layer ? $"layer {layer}, " : "") + (Part == Step ? Part : $"{Part}, {Step}")
            + (Parameter is { } name ? $" ({name}{(Place is { } place ? $", {place}" : "")})" : "");
}

/// <summary>What a search for the first difference found.</summary>
/// <param name="Found">In the order of the model; empty when no step stands out.</param>
/// <param name="Searched">Whether the graph could be looked into.</param>
/// <param name="Words">The outcome in a sentence.</param>
public sealed record FaultSearch(IReadOnlyList<FaultLocation> Found, bool Searched, string Words);
