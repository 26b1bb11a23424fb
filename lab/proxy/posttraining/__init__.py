"""Post-training: a finished run's model, taught to answer; mixtures can be compared after it too.

Two stages, both through `trl` (the extra `mixlab[posttrain]`), each a run of its own:

    sft    supervised fine-tuning on chats (Ouyang et al. 2022, arXiv 2203.02155): next-token loss
           on the assistant's tokens only
    dpo    direct preference optimisation on pairs (Rafailov et al. 2023, arXiv 2305.18290)

The question is "does the gap between two mixtures close after post-training?": a mixture that only
taught the format of answers is caught up with by a few hundred steps; knowledge is not. So all
parents of one seed get the same chats in the same order, under the same frozen settings.
"""
