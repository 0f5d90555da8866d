using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>What decides a preference tuning, in one digest, so that a state is continued by its own training only.</summary>
internal static class PreferenceDigest
{
    public static string Of(FlatParameters start, IReadOnlyList<PreferencePair> pairs, PreferenceOptions options, IHeldOutMeasure? heldOut)
    {
        using var all = new TrainingDigest();
        var constants = options.Constants;
        all.Add("preference").Add(start.Span).Add(pairs.Select(pair => pair.Chosen)).Add(pairs.Select(pair => pair.Rejected)).Add(options.Training).Add(options.Loss)
            .Add(constants.Beta, constants.LabelSmoothing, constants.Gamma, constants.DesirableWeight, constants.UndesirableWeight)
            .Add(options.Epochs, options.PairsPerStep, unchecked((long)options.Seed), options.HeldOut?.Every ?? 0, options.HeldOut?.Patience ?? 0);
        heldOut?.AddTo(all);
        return all.Finish();
    }
}
