namespace Distill.Student.Pruning;

/// <summary>What a layer did on sample text.</summary>
/// <param name="Change">
/// 1 − mean cosine similarity of what enters and what leaves the layer, over all positions: how much a decoder loses without it (block
/// influence of Men et al. 2024, arXiv 2403.03853).
/// </param>
/// <param name="Channels">[intermediate]: mean magnitude of each feed-forward channel before the down projection, times the norm of its column there.</param>
/// <param name="Heads">[key-value heads]: mean norm of what each of them, with all its query heads, adds to the residual stream.</param>
public sealed record LayerActivity(double Change, IReadOnlyList<double> Channels, IReadOnlyList<double> Heads);
