namespace Distill.Student.Adapters;

/// <summary>An adapted weight [out, in] and where its adapters lie.</summary>
/// <param name="Name">Of the weight.</param>
/// <param name="Offset">Among the parameters.</param>
/// <param name="Start">Among the adapters.</param>
internal sealed record LowRankPlace(string Name, int Offset, int Out, int In, int Start)
{
    /// <param name="factor">A or B.</param>
    public string PeftName(string factor) => $"base_model.model.{Name[..^".weight".Length]}.lora_{factor}.weight";
}
