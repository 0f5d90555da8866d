using System.Globalization;

namespace Distill.Pipeline.Launching;

/// <summary>
/// A job as one script for Slurm: called by hand it submits itself, as an array of shards, as often again as shards may be begun anew (each
/// array after the one before, however that ended), and at last as the one job that joins and goes on. A shard that is done ends at once.
/// </summary>
internal static class SlurmScript
{
    // Slurm warns the shell so long before it kills, which is time to end between two steps.
    private const int WarningSeconds = 120;

    public static string Of(ShardedJob job) => string.Create(CultureInfo.InvariantCulture, $$"""
        #!/bin/bash
        # {{OneLine(job.Name)}}: {{job.Shards}} shards, then one that joins them and goes on. Written by 'distill launch --slurm'.
        # Submit with:  bash {{FileName(job)}}
        # The recipe, the program and the folder of runs must lie at the same paths on every node, on a file system that they share.
        # What your cluster asks for besides (partition, account) goes in here, or into SBATCH_PARTITION and SBATCH_ACCOUNT.
        #SBATCH --time={{job.Hours}}:00:00
        #SBATCH --nodes=1
        #SBATCH --ntasks=1
        #SBATCH --cpus-per-task={{job.Cpus}}
        #SBATCH --mem={{job.MemoryGigabytes}}G
        {{(job.Gpus == 0 ? "# no accelerator" : $"#SBATCH --gpus-per-task={job.Gpus}")}}
        #SBATCH --signal=B:TERM@{{WarningSeconds}}
        #SBATCH --requeue
        #SBATCH --open-mode=append
        set -euo pipefail

        shards={{job.Shards}}
        arrays={{job.Restarts + 1}}
        logs={{Bash(Path.Combine(job.RunsFolder, ".slurm"))}}

        # The shell gives its place to the program, so that Slurm's warning reaches it.
        case "${1:-submit}" in
          shard)
            exec {{Words(job.ShardCommand)}}
            ;;
          join)
            exec {{Words(job.JoinCommand)}}
            ;;
          submit)
            mkdir -p "$logs"
            after=()
            for ((array = 1; array <= arrays; array++)); do
              id=$(sbatch --parsable --job-name={{job.Name}} --array="0-$((shards - 1))" \
                --output="$logs/%A-%a.log" "${after[@]}" "$0" shard)
              id=${id%%;*}
              after=("--dependency=afterany:$id")
              echo "shards   $id ($array of $arrays)"
            done
            id=$(sbatch --parsable --job-name={{job.Name}}-join --output="$logs/%j-join.log" "${after[@]}" "$0" join)
            echo "join     ${id%%;*}"
            ;;
          *)
            echo "usage: bash $0 [submit|shard|join]" >&2
            exit 2
            ;;
        esac

        """).ReplaceLineEndings("\n");

    public static string FileName(ShardedJob job) => $"{job.Name}.slurm.sh";

    private static string Words(IEnumerable<string> words) => string.Join(' ', words.Select(Bash));

    // Within single quotes nothing but the quote itself means anything.
    private static string Bash(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '=' or ':')
            ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
