namespace Distill.Architecture;

/// <summary>
/// The rotary part of a configuration: <c>rope_theta</c> and <c>rope_scaling</c> in published models, <c>rope_parameters</c> since
/// transformers 5. A file may have both when they agree.
/// </summary>
internal static class RotaryFields
{
    public static (double Theta, RotaryScaling Scaling) Read(ConfigFields fields, DecoderFamily family)
    {
        var (newer, older) = (Parse(fields, "rope_parameters"), Parse(fields, "rope_scaling"));
        double? newTheta = fields.OptionalObject("rope_parameters")?.OptionalDouble("rope_theta"),
            oldTheta = fields.OptionalDouble("rope_theta");
        fields.Require(
            newTheta is null || oldTheta is null
            || newTheta == oldTheta, $"rope_theta {oldTheta} contradicts rope_parameters.rope_theta {newTheta}");
        fields.Require(newer is null || older is null || newer == older, "rope_scaling contradicts rope_parameters");
        fields.Require((fields.OptionalDouble("partial_rotary_factor") ?? 1) == 1, "partial_rotary_factor other than 1 is not supported");
        return (newTheta ?? oldTheta ?? family.RopeTheta, newer ?? older ?? DefaultRotary.Instance);
    }

    private static RotaryScaling? Parse(ConfigFields fields, string key)
    {
        if (fields.OptionalObject(key) is not { } rope) return null;
        string? type = rope.OptionalString("rope_type") ?? rope.OptionalString("type");
        if (type is null && rope.Has("rope_theta")) type = "default";
        double partial = rope.OptionalDouble("partial_rotary_factor") ?? 1;
        rope.OptionalDouble("rope_theta"); // reported if it is no number
        RotaryScaling? scaling = type switch
        {
            "default" => DefaultRotary.Instance,
            "linear" => new LinearRotary(rope.RequiredDouble("factor")),
            "llama3" => Llama3(fields, rope),
            "yarn" => Yarn(fields, rope),
            _ => null, // without a type, other keys mean per-layer settings or a scheme unknown here
        };
        fields.Require(scaling is not null, $"{key} of type '{type ?? "unknown"}' is not supported, only default, linear, llama3 and yarn");
        fields.Require(partial == 1, $"{key}.partial_rotary_factor {partial} is not supported, only 1");
        foreach (string problem in rope.Problems) fields.Problems.Add($"{key}.{problem}");
        return scaling;
    }

    private static Llama3Rotary Llama3(ConfigFields fields, ConfigFields rope) =>
        new(rope.RequiredDouble("factor"), rope.RequiredDouble("low_freq_factor"), rope.RequiredDouble("high_freq_factor"),
        OriginalPositions(fields, rope));

    private static YarnRotary Yarn(ConfigFields fields, ConfigFields rope)
    {
        double factor = rope.RequiredDouble("factor");
        return new(factor, OriginalPositions(fields, rope), rope.OptionalDouble("attention_factor") ?? AttentionScale(rope, factor))
        {
            BetaFast = rope.OptionalDouble("beta_fast") ?? YarnRotary.DefaultBetaFast,
            BetaSlow = rope.OptionalDouble("beta_slow") ?? YarnRotary.DefaultBetaSlow,
            Truncate = rope.OptionalBool("truncate") ?? true,
        };
    }

    // DeepSeek's spelling: the ratio of two attention scales.
    private static double AttentionScale(ConfigFields rope, double factor)
    {
        double? scale = rope.OptionalDouble("mscale"), all = rope.OptionalDouble("mscale_all_dim");
        return scale is > 0 && all is > 0
            ? YarnRotary.DefaultAttentionScale(factor, scale.Value) / YarnRotary.DefaultAttentionScale(factor, all.Value)
            : YarnRotary.DefaultAttentionScale(factor);
    }

    private static int OriginalPositions(ConfigFields fields, ConfigFields rope) =>
        rope.OptionalInt("original_max_position_embeddings") ?? fields.OptionalInt("original_max_position_embeddings")
        ?? fields.OptionalInt("max_position_embeddings") ?? 0;
}
